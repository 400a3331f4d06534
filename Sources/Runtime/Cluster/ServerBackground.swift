import Checkpoints
import Configuration
import Dispatch
import ParameterServer
import Protocol
import Recommenders
import Settings
import Synchronization
import Tables
import Telemetry
import Transport

/// The jobs of a server that run off the network thread, because they may take longer than a
/// heartbeat can wait: making or restoring its tables, writing checkpoints, and keeping copies of
/// other servers' files.
///
/// Serial queues: a slow disk does not delay a new generation, and two servers that send each other
/// files do not wait for each other.
final class ServerBackground<Peer: Hashable & Sendable>: Sendable {
  private let preparing = DispatchQueue(label: "mrdib.server.prepare", qos: .userInitiated)
  private let writing = DispatchQueue(label: "mrdib.server.checkpoint", qos: .utility)
  private let keeping = DispatchQueue(label: "mrdib.server.copies", qos: .utility)
  private let sendingAgain = DispatchQueue(label: "mrdib.server.lost-copies", qos: .background)
  /// Reads whole files, while others' copies are answered.
  private let inspecting = DispatchQueue(label: "mrdib.server.inspection", qos: .utility)
  private let isInspecting = Mutex(false)
  private let copies: CheckpointCopies
  /// Used on the queue `keeping` only.
  private nonisolated(unsafe) let keeper = CopyKeeper()
  /// Of the newest generation; nil before the first.
  private let welcome = Mutex<Welcome?>(nil)
  private let report: @Sendable (ServerSessionEvent<Peer>) -> Void
  private let counts = Mutex(CheckpointWritingStatistics())
  private let isOver = Atomic(false)

  /// - Parameters:
  ///   - copies: the server's side of checkpoints that are kept twice.
  ///   - report: called on one of the queues with the result of every job.
  init(
    copies: CheckpointCopies, report: @escaping @Sendable (ServerSessionEvent<Peer>) -> Void
  ) {
    self.copies = copies
    self.report = report
  }

  func prepare(_ welcome: Welcome) {
    copies.begin(welcome.generation)
    self.welcome.withLock { $0 = welcome }
    preparing.async { [report, copies, sendingAgain] in
      do {
        report(
          .prepared(
            try ServerState(welcome, configuration: RunConfiguration(welcome), copies: copies)))
        if let restored = welcome.restored, welcome.checkpoints?.isCopied == true {
          sendingAgain.async { copies.sendAgain(restored, of: welcome) }
        }
      } catch {
        report(
          .preparationFailed(
            generation: welcome.generation, "server \(welcome.rank) cannot take part: \(error)",
            isTransient: error is CheckpointError))
      }
    }
  }

  /// Counts of the checkpoints written so far; may be read on any thread.
  var statistics: CheckpointWritingStatistics { counts.withLock { $0 } }

  func write(_ snapshot: ServerSnapshot, of welcome: Welcome) {
    writing.async { [self] in
      let start = MonotonicClock.seconds
      do {
        let writer = CheckpointShardWriter(
          copies.store(of: welcome), configurationDigest: try RunConfiguration(welcome).digest,
          // No checkpoint will have rows of an earlier generation, and as long as they are written
          // they take memory next to those of the new one.
          isWanted: { [self] in
            !isOver.load(ordering: .relaxed)
              && self.welcome.withLock { $0?.generation } == welcome.generation
          })
        let shard = try writer.write(snapshot)
        // Copies of rows that training changed meanwhile.
        ProcessMemory.release()
        // Only then may the file become part of a checkpoint.
        if welcome.checkpoints?.isCopied == true { try copies.send(shard, of: welcome) }
        counts.withLock {
          $0.seconds.observe(MonotonicClock.seconds - start)
          $0.bytes += shard.byteCount
        }
        report(.checkpointWritten(shard))
      } catch {
        counts.withLock { $0.failures += 1 }
        report(
          .checkpointFailed(
            generation: snapshot.generation, version: snapshot.version, "\(error)"))
      }
    }
  }

  /// The server is about to end. Abandons a file that is being written, because no checkpoint will
  /// have it, and blocks until what there is of it is deleted: an object store keeps the parts of
  /// an upload, and charges for them, until it is asked to delete them. This takes at most
  /// `seconds`, because a store or a disk may not answer.
  func end(within seconds: Double = 5) {
    isOver.store(true, ordering: .relaxed)
    let emptied = DispatchSemaphore(value: 0)
    writing.async { emptied.signal() }
    _ = emptied.wait(timeout: .now() + seconds)
  }

  // MARK: Copies

  func learnServers(_ endpoints: [String], of generation: UInt64) {
    copies.learn(endpoints, of: generation)
  }

  /// Stores a piece of another server's file, or reads one.
  func exchange(_ copy: CopyRequest, id: UInt64, with peer: Peer) {
    let welcome = welcome.withLock { $0 }
    keeping.async { [self] in
      let isOfOther = copy.purpose == .fetch && copy.runID != welcome?.runID
      let body: DataReplyBody
      if isOfOther, let store = copies.inspectedStore(of: copy.runID) {
        body = keeper.answer(copy, in: store, runID: copy.runID)
      } else if let welcome, welcome.checkpoints?.isCopied == true {
        body = keeper.answer(copy, in: copies.store(of: welcome), runID: welcome.runID)
      } else {
        body = .refused(Refusal(code: .notReady, message: "the server has not joined a run yet"))
      }
      report(.answered(DataReply(requestID: id, body: body), to: peer))
    }
  }

  /// Looks at this machine's disk.
  func inspect(_ question: DiskQuestion, _ report: DiskReport) {
    let isBusy = isInspecting.withLock { isInspecting in
      defer { isInspecting = true }
      return isInspecting
    }
    guard !isBusy else { return }
    inspecting.async { [self] in
      let found = copies.inspect(question, report)
      isInspecting.withLock { $0 = false }
      self.report(.inspected(found))
    }
  }

  /// The run has come to its end, of which its records are a copy only. Called last, when the
  /// process is about to end.
  func noteOver(_ welcome: Welcome) {
    if welcome.checkpoints?.isCopied == true { copies.store(of: welcome).noteOver() }
  }

  /// Keeps the manifest of a checkpoint whose files are complete everywhere, and deletes old ones.
  func keepManifest(_ manifest: String, _ content: String, of welcome: Welcome) {
    writing.async { [copies] in
      // Without the manifest, only old files stay longer.
      let store = copies.store(of: welcome)
      let restored = RestoredCheckpoint(manifest: manifest, version: 0, content: content)
      guard let kept = try? CheckpointReader.manifest(of: restored, in: store),
        kept.runID == welcome.runID, let configuration = try? RunConfiguration(welcome)
      else { return }
      try? store.keep(kept)
      _ = try? store.prune(keepLast: configuration.checkpoints.keep)
    }
  }
}

extension ServerState {
  /// The server that a welcome describes: with initial values, or with the rows of the checkpoint
  /// that the welcome names.
  ///
  /// - Throws: an error with a sentence when the welcome is invalid; `CheckpointError` when the
  ///   checkpoint cannot be read.
  fileprivate init(
    _ welcome: Welcome, configuration: RunConfiguration, copies: CheckpointCopies
  ) throws {
    guard let restored = welcome.restored, let plan = welcome.checkpoints else {
      try self.init(initially: welcome, configuration: configuration)
      return
    }
    try self.init(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
      seed: welcome.seed, shardCount: Int(welcome.shardCount), schedule: StepSchedule(welcome),
      optimizer: OptimizerConfiguration(configuration), consistency: Consistency(configuration),
      limits: .ofTransport,
      restoring: plan.isCopied
        ? copies.reader(of: restored, for: welcome)
        : CheckpointReader(restored, in: copies.store(of: welcome), runID: welcome.runID))
  }

  private init(initially welcome: Welcome, configuration: RunConfiguration) throws {
    try self.init(
      rank: Int(welcome.rank), serverCount: Int(welcome.serverCount), runID: welcome.runID,
      generation: welcome.generation, tables: welcome.tables.map { try TableSpec($0) },
      seed: welcome.seed, shardCount: Int(welcome.shardCount),
      schedule: StepSchedule(welcome), optimizer: OptimizerConfiguration(configuration),
      consistency: Consistency(configuration), limits: .ofTransport)
  }
}

extension StepSchedule {
  init(_ welcome: Welcome) {
    self.init(
      stepsPerEpoch: Int(welcome.stepsPerEpoch), roundsPerStep: Int(welcome.roundsPerStep))
  }
}

extension ServerLimits {
  /// Bounds replies by the largest frame: a larger reply could not be sent.
  static var ofTransport: ServerLimits {
    ServerLimits(replyBytes: SocketOptions().maximumFrameBytes)
  }
}

extension RunConfiguration {
  /// The configuration in a coordinator's welcome.
  ///
  /// - Throws: `ConfigurationError` when this release does not know a setting.
  package init(_ welcome: Welcome) throws {
    self = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [
      ConfigurationLayer(yaml: welcome.configuration, label: "the coordinator's configuration")
    ])
  }
}
