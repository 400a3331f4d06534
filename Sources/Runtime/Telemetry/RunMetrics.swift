import Coordinator
import Foundation
import Protocol
import Telemetry

/// What a coordinator knows of its run.
struct RunMetrics: MetricSource {
  /// What does not change during a run.
  struct Constants: Sendable {
    var runID: String
    var model: String
    var dataset: String
    var workers: UInt32
    var servers: UInt32
    var epochs: UInt32
    var stepsPerEpoch: UInt32
    var examplesPerEpoch: UInt64
    /// Whose free space is reported.
    var folder: String
  }

  let constants: Constants
  let tally: RunTally
  let snapshot: RunSnapshot

  var families: [MetricFamily] {
    progress + results + membership + checkpoints
  }

  private static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily(name, .gauge, help, value)
  }

  private static func counter(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily(name, .counter, help, value)
  }

  private var progress: [MetricFamily] {
    var info = MetricFamily("mrdib_run", .info, "The run: its id, model and data set.")
    info.add(
      [
        .init("run", constants.runID), .init("model", constants.model),
        .init("dataset", constants.dataset),
      ], 1)
    var state = MetricFamily(
      "mrdib_run_state", .gauge, "1 for the state that the run is in, 0 for the others.")
    let present = RunState(snapshot)
    for other in RunState.ofCoordinator {
      state.add([.init("state", other.rawValue)], other == present ? 1 : 0)
    }
    return [
      info, state,
      Self.counter(
        "mrdib_run_steps",
        "Steps trained since the coordinator started, also those trained again after a rollback.",
        Double(tally.steps)),
      Self.counter(
        "mrdib_run_examples",
        "Interactions trained since the coordinator started, by its steps.",
        Double(tally.examples(perEpoch: constants.examplesPerEpoch))),
      Self.gauge("mrdib_run_epoch", "The epoch under way, from 0.", Double(snapshot.epoch)),
      Self.gauge(
        "mrdib_run_epochs_finished", "Epochs that are recorded, also before the run was resumed.",
        Double(tally.epochsFinished)),
      Self.gauge("mrdib_run_epochs_limit", "The most epochs to train.", Double(constants.epochs)),
      Self.gauge(
        "mrdib_run_steps_per_epoch", "Steps of an epoch.", Double(constants.stepsPerEpoch)),
      Self.gauge(
        "mrdib_run_progress_time_seconds",
        "When a step, a block or a member was last added, since 1970.", tally.progressTime),
      Self.gauge(
        "mrdib_run_diverged", "1 once the loss was not a finite number.",
        tally.hasDiverged ? 1 : 0),
      Self.gauge(
        "mrdib_run_term", "How often a coordinator of this run was started.",
        Double(snapshot.term)),
      Self.gauge(
        "mrdib_run_generation", "The generation of the tables; every rollback raises it.",
        Double(snapshot.generation)),
      Self.counter(
        "mrdib_run_rollbacks", "Rollbacks since the coordinator started.", Double(tally.rollbacks)),
    ]
  }

  private var results: [MetricFamily] {
    var loss = MetricFamily(
      "mrdib_run_loss", .gauge, "Mean of each part of the loss over the latest finished epoch.")
    var statistics = MetricFamily(
      "mrdib_run_statistic", .gauge,
      "Mean of each statistic of the model over the latest finished epoch.")
    var staleness = MetricFamily(
      "mrdib_run_staleness_versions", .gauge,
      "Staleness of the gradients of the latest finished epoch; only in ssp and async.")
    for (name, value) in (tally.latestEpoch?.values ?? [:]).sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "loss": loss.add([.init("part", parts[1])], value)
      case "stat": statistics.add([.init("statistic", parts[1])], value)
      case "staleness" where ["mean", "max"].contains(parts[1]):
        staleness.add([.init("over", parts[1])], value)
      default: break
      }
    }
    var metrics = MetricFamily(
      "mrdib_run_metric", .gauge, "Metrics of the latest evaluation: means over the users.")
    for (name, value) in (tally.latestEvaluation?.metrics ?? [:]).sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      metrics.add([.init("split", parts[0]), .init("metric", parts[1])], value)
    }
    var duration = MetricFamily(
      "mrdib_run_duration_seconds", .gauge, "Time of the latest finished epoch and evaluation.")
    if let epoch = tally.latestEpoch { duration.add([.init("of", "epoch")], epoch.seconds) }
    if let evaluation = tally.latestEvaluation {
      duration.add([.init("of", "evaluation")], evaluation.seconds)
    }
    var families = [loss, statistics, staleness, metrics, duration]
    if let best = tally.best {
      families += [
        Self.gauge("mrdib_run_best_epoch", "The best epoch so far.", Double(best.epoch)),
        Self.gauge(
          "mrdib_run_best_value", "The selection metric of the best epoch so far.", best.value),
      ]
    }
    return families
  }

  private var membership: [MetricFamily] {
    var members = MetricFamily(
      "mrdib_run_members", .gauge, "Workers and servers that take part, by state.")
    var wanted = MetricFamily(
      "mrdib_run_members_wanted", .gauge, "Workers and servers that the settings ask for.")
    var silence = MetricFamily(
      "mrdib_run_member_silence_seconds", .gauge, "Time since the last message of a member.")
    var done = MetricFamily(
      "mrdib_run_member_progress", .gauge,
      "Steps or blocks of a worker's task that are done; the version of a server's tables.")
    for (role, count) in [(NodeRole.server, constants.servers), (.worker, constants.workers)] {
      let own = snapshot.members.filter { $0.role == role }
      let label = MetricFamily.Label("role", Self.name(role))
      members.add(
        [label, .init("state", "ready")], Double(own.filter { $0.activity != .preparing }.count))
      members.add(
        [label, .init("state", "joining")], Double(own.filter { $0.activity == .preparing }.count))
      wanted.add([label], Double(count))
      for member in own {
        let labels = [label, .init("rank", "\(member.rank)")]
        silence.add(labels, member.silence)
        done.add(labels, Double(role == .worker ? member.taskProgress : member.version))
      }
    }
    func counts(_ name: String, _ help: String, _ values: [NodeRole: Int]) -> MetricFamily {
      var family = MetricFamily(name, .counter, help)
      for role in [NodeRole.server, .worker] {
        family.add([.init("role", Self.name(role))], Double(values[role] ?? 0))
      }
      return family
    }
    return [
      members, wanted, silence, done,
      counts("mrdib_run_members_joined", "Nodes that joined.", tally.joined),
      counts("mrdib_run_members_lost", "Members that were lost.", tally.lost),
      counts("mrdib_run_members_refused", "Nodes that were not admitted.", tally.refused),
      Self.counter(
        "mrdib_run_messages_ignored", "Messages that came too late or did not fit.",
        Double(snapshot.ignoredMessages)),
    ]
  }

  private var checkpoints: [MetricFamily] {
    var outcomes = MetricFamily("mrdib_run_checkpoints", .counter, "Checkpoints by outcome.")
    outcomes.add([.init("outcome", "committed")], Double(tally.checkpointsCommitted))
    outcomes.add([.init("outcome", "failed")], Double(tally.checkpointsFailed))
    var seconds = MetricFamily(
      "mrdib_run_checkpoint_duration_seconds", .histogram,
      "From the first server's file to the complete checkpoint.")
    seconds.add([], tally.checkpointSeconds)
    var families = [
      outcomes, seconds,
      Self.gauge(
        "mrdib_run_checkpoint_time_seconds",
        "When the newest checkpoint was complete, since 1970; before the first, when the"
          + " coordinator started.",
        tally.checkpointTime),
    ]
    if let version = snapshot.checkpointVersion {
      families.append(
        Self.gauge(
          "mrdib_run_checkpoint_version", "The version of the newest checkpoint.",
          Double(version)))
    }
    if let space = try? FileManager.default.attributesOfFileSystem(forPath: constants.folder),
      let free = space[.systemFreeSize] as? NSNumber, let size = space[.systemSize] as? NSNumber
    {
      families += [
        Self.gauge(
          "mrdib_run_disk_free_bytes", "Free space where the run directory is.", free.doubleValue),
        Self.gauge(
          "mrdib_run_disk_size_bytes", "Size of the disk where the run directory is.",
          size.doubleValue),
      ]
    }
    return families
  }

  // MARK: Values of labels

  private static func name(_ role: NodeRole) -> String { role == .worker ? "worker" : "server" }
}

extension TelemetryBoard.Status {
  /// A coordinator does its work once the cluster is formed.
  init(_ snapshot: RunSnapshot) {
    self.init(
      isReady: snapshot.phase != .forming,
      activity: snapshot.phase == .forming
        ? "waiting for workers and servers" : "the run is \(snapshot.phase.rawValue)")
  }
}
