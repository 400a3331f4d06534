import Coordinator
import Nodes
import Protocol
import Simulation
import Tables

/// Checks every message of a simulated history: what no worker may send, and what shows that a
/// server or the coordinator does not accept what a worker did.
struct MessageCheck {
  /// Where a contribution goes.
  private struct Destination: Hashable {
    let server: ProcessName
    let name: ContributionName
    var stage: ReduceStage?
  }

  private let isExact: Bool
  private(set) var problems: [String] = []
  /// The values of all epochs that were recorded.
  private(set) var epochs: [[String: Double]] = []
  /// What workers have reported at the end of training tasks.
  private(set) var trainingReports: [UnitReport] = []
  private(set) var versionsPerEpoch: UInt64 = 0
  /// How often a gradient or its sums came from a second worker.
  private(set) var recomputedCount = 0
  /// How often a server asked a worker for its hello.
  private(set) var forgottenCount = 0
  private var trainingTasks: Set<UInt64> = []
  private var pushes: [Destination: (push: PushRequest, sender: ProcessName)] = [:]
  private var reductions: [Destination: (share: ReduceReply, sender: ProcessName)] = [:]

  init(consistency: Consistency) { isExact = consistency.isExact }

  mutating func see(_ event: TraceEvent) {
    switch event {
    case .delivered(.coordinator(let envelope), _, _): see(envelope.message)
    case .delivered(.node(let message), let sender, _): see(message, from: sender)
    case .delivered(.request(let request), let sender, let server):
      see(request.body, from: sender, to: server)
    case .delivered(.reply(let reply), let server, let receiver):
      if case .refused(let refusal) = reply.body { see(refusal, of: server, to: receiver) }
    case .recorded(let record, _):
      if case .epochFinished(let summary) = record.change { epochs.append(summary.values) }
    default: break
    }
  }

  private mutating func see(_ message: CoordinatorMessage) {
    switch message {
    case .welcome(let welcome):
      versionsPerEpoch = UInt64(welcome.stepsPerEpoch) * UInt64(welcome.roundsPerStep)
    case .task(let task):
      if case .train = task.body { trainingTasks.insert(task.id) }
    default: break
    }
  }

  private mutating func see(_ message: NodeMessage, from sender: ProcessName) {
    switch message {
    case .taskFailed(_, let failure): problems.append("\(sender) failed: \(failure.message)")
    case .goodbye(let reason) where !reason.contains("asked to stop"):
      problems.append("\(sender) left: \(reason)")
    case .taskDone(let id, let reports) where trainingTasks.contains(id):
      trainingReports += reports
    default: break
    }
  }

  /// A contribution that is computed again must have the same bits. In ssp and async it may be
  /// computed from other rows.
  private mutating func see(
    _ body: DataRequestBody, from sender: ProcessName, to server: ProcessName
  ) {
    switch body {
    case .push(let push) where push.kind == .gradient && isExact:
      let destination = Destination(server: server, name: push.name)
      guard let first = pushes[destination] else {
        pushes[destination] = (push, sender)
        return
      }
      if first.sender != sender { recomputedCount += 1 }
      if first.push != push { problems.append("\(sender) pushes other bits for \(push.name)") }
    case .reduce(let reduce):
      guard isExact else { return problems.append("\(sender) waits for the sums of others") }
      let destination = Destination(server: server, name: reduce.name, stage: reduce.stage)
      let share = ReduceReply(values: reduce.values, rows: reduce.rows)
      guard let first = reductions[destination] else {
        reductions[destination] = (share, sender)
        return
      }
      if first.sender != sender { recomputedCount += 1 }
      if first.share != share {
        problems.append("\(sender) reduces other bits for \(reduce.name)")
      }
    default: break
    }
  }

  private mutating func see(
    _ refusal: Refusal, of server: ProcessName, to receiver: ProcessName
  ) {
    switch refusal.code {
    case .staleGeneration, .versionSuperseded: break
    // Gradients wait for initial values, because no pull is answered before.
    case .notReady where !refusal.message.contains("initial values"): break
    case .helloNeeded: if case .worker = receiver.slot { forgottenCount += 1 }
    default: problems.append("\(server) refuses what \(receiver) sent: \(refusal.message)")
    }
  }
}
