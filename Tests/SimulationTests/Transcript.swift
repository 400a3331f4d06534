import Coordinator
import Foundation
import Nodes
import Protocol
import Simulation

/// What happened in a simulated cluster, as lines of plain English. Heartbeats, rows and gradients,
/// and acknowledgements are left out.
struct Transcript {
  private(set) var lines: [String]
  private let lastEpoch: UInt32
  private var isComplete = false

  /// - Parameters:
  ///   - scenario: in plain words; becomes the header.
  ///   - lastEpoch: the transcript ends with the record of this epoch.
  init(_ scenario: [String], until lastEpoch: UInt32) {
    lines = scenario.map { "# \($0)" } + [""]
    self.lastEpoch = lastEpoch
  }

  mutating func add(_ event: TraceEvent, at seconds: Double) {
    guard !isComplete, let sentence = Self.sentence(event) else { return }
    let time = String(format: "%8.3f", seconds)
    lines.append("\(time)  \(sentence)")
    if case .recorded(let record, _) = event, case .epochFinished(let epoch) = record.change,
      epoch.epoch == lastEpoch
    {
      lines.append("          (The run continues to its end.)")
      isComplete = true
    }
  }

  var text: String { lines.joined(separator: "\n") + "\n" }

  // MARK: Stored files

  private static func path(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/transcripts/\(name).txt")
  }

  /// The stored transcript of a scenario.
  static func stored(_ name: String) throws -> String {
    try String(contentsOf: path(name), encoding: .utf8)
  }

  /// Replaces the stored transcript.
  func store(_ name: String) throws {
    try text.write(to: Self.path(name), atomically: true, encoding: .utf8)
  }

  // MARK: Sentences

  private static func sentence(_ event: TraceEvent) -> String? {
    switch event {
    case .started(let process): "\(name(process)) starts"
    case .ended(let process): "\(name(process)) ends"
    case .fault(let fault): "*** \(sentence(fault))"
    case .delivered(let message, let sender, let receiver):
      sentence(message).map { "\(name(sender)) -> \(name(receiver)): \($0)" }
    case .recorded(let record, let process): "\(name(process)) records \(sentence(record))"
    case .reported(let event, let process):
      sentence(event).map { "\(name(process)) reports: \($0)" }
    case .reached(let version, _, let process): "\(name(process)) reaches version \(version)"
    case .wrote(let what, let process): "\(name(process)) has written \(what)"
    case .logged(let line, let process):
      // The messages show a node's start and end already.
      ["server ", "worker ", "in all"].contains { line.hasPrefix($0) }
        ? nil : "\(name(process)) logs: \(line)"
    case .violation(let violation): "VIOLATION: \(violation)"
    }
  }

  /// The name of a replacement ends with its number.
  private static func name(_ process: ProcessName) -> String {
    process.life == 0 ? "\(process.slot)" : "\(process.slot)#\(process.life + 1)"
  }

  /// The address of a simulated server is its slot and the number of earlier processes in it.
  private static func name(ofEndpoint endpoint: String) -> String {
    let parts = endpoint.split(separator: "/")
    guard parts.count == 2, let life = Int(parts[1]) else { return endpoint }
    return life == 0 ? String(parts[0]) : "\(parts[0])#\(life + 1)"
  }

  private static func sentence(_ fault: Fault) -> String {
    switch fault {
    case .kill(let slot): "\(slot) is killed"
    case .terminate(let slot): "\(slot) is asked to stop"
    case .pause(let shape): "the run is asked to stop; it is resumed with \(shape)"
    default: "\(fault)"
    }
  }

  private static func sentence(_ message: MemoryMessage) -> String? {
    switch message {
    case .node(let message): sentence(message)
    case .coordinator(let envelope): sentence(envelope.message)
    case .request: nil
    case .reply(let reply):
      if case .refused(let refusal) = reply.body { "refused: \(refusal.message)" } else { nil }
    }
  }

  private static func sentence(_ message: NodeMessage) -> String? {
    switch message {
    case .hello(let hello):
      hello.holding.map {
        "hello, I hold version \($0.version) of generation \($0.generation) as rank \($0.rank)"
      } ?? "hello"
    case .heartbeat: nil
    case .ready(let generation): "ready for generation \(generation)"
    case .taskDone(let id, _): "task \(number(id)) is done"
    case .taskFailed(let id, let failure): "task \(number(id)) failed: \(failure.message)"
    case .goodbye(let reason): "goodbye: \(reason)"
    case .held(_, let version): "I stay at version \(version)"
    case .checkpointWritten(let shard): "my rows of version \(shard.version) are on disk"
    case .checkpointFailed(_, let version, let message):
      "my rows of version \(version) could not be written: \(message)"
    case .inspected: nil
    }
  }

  private static func sentence(_ message: CoordinatorMessage) -> String? {
    switch message {
    case .welcome(let welcome):
      "welcome, you are rank \(welcome.rank) of generation \(welcome.generation), which begins "
        + (welcome.restored.map { "with the checkpoint of version \($0.version)" }
          ?? "with the initial values")
    case .servers(_, let endpoints):
      "the servers are \(endpoints.map(name(ofEndpoint:)).joined(separator: ", "))"
    case .task(let task): "task \(number(task.id)): \(sentence(task.body))"
    case .heartbeatAcknowledged, .checkpointAcknowledged, .checkpointCommitted, .inspect: nil
    case .finish(let reason, _): "finish: \(reason)"
    case .refused(let refusal): "refused: \(refusal.message)"
    case .hold: "stay at your version"
    case .checkpoint(_, let version): "go to version \(version) and write it"
    }
  }

  /// The number of a task; the upper half of its id is the term.
  private static func number(_ task: UInt64) -> UInt64 { task & 0xffff_ffff }

  private static func sentence(_ task: TaskBody) -> String {
    func list(_ numbers: [UInt32]) -> String {
      numbers.map(String.init).joined(separator: ", ")
    }
    return switch task {
    case .train(let epoch, _, let version, let shards):
      "train shards \(list(shards)) of epoch \(epoch) from version \(version) on"
    case .materialize(_, let epoch, let blocks):
      "compute final vectors \(list(blocks)) of epoch \(epoch)"
    case .rank(_, let epoch, let blocks): "rank blocks \(list(blocks)) of epoch \(epoch)"
    }
  }

  private static func sentence(_ record: RunRecord) -> String {
    switch record.change {
    case .clusterFormed: "that the cluster is formed"
    case .generationRaised: "generation \(record.progress.generation)"
    case .epochFinished(let epoch): "epoch \(epoch.epoch), which ended at version \(epoch.version)"
    case .evaluated(let evaluation): "the evaluation of epoch \(evaluation.epoch)"
    case .bestSaved: "that the best model is saved"
    case .checkpointCommitted(let checkpoint): "the checkpoint of version \(checkpoint.version)"
    case .ended(let message): "the end of the run: \(message)"
    }
  }

  /// Events that are not in the records.
  private static func sentence(_ event: RunEvent) -> String? {
    switch event {
    case .nodeLost(let role, let rank, _, let how): "\(role) \(rank) is lost: \(how)"
    case .nodeRefused(let role, _, let reason): "a \(role) is refused: \(reason)"
    case .awaitingWorkers: "no worker is left"
    case .recovering(let generation, let version):
      "the tables roll back to version \(version), as generation \(generation)"
    case .resumed(let epoch, let version, let origin):
      switch origin {
      case .initialValues: "epoch \(epoch) is trained from the initial values on"
      case .checkpoint: "epoch \(epoch) is resumed from the checkpoint of version \(version)"
      case .adoption: "epoch \(epoch) is resumed; the servers have version \(version) still"
      }
    case .stopRequested(let reason): "a stop is requested: \(reason)"
    case .checkpointFailed(let message): "a checkpoint failed: \(message)"
    case .checkpointSearchFailed(let message): "the checkpoints cannot be read: \(message)"
    case .olderCheckpoint(let message): message
    default: nil
    }
  }
}
