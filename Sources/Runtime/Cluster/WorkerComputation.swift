import Configuration
import Datasets
import Dispatch
import Logging
import Nodes
import Protocol
import Settings
import Synchronization
import Worker

/// A worker's computation on a separate thread, so that long matrix products delay no heartbeat.
///
/// Confined to one serial queue: all jobs run there, in the order of the calls.
final class WorkerComputation: @unchecked Sendable {  // `computation` is touched only on `queue`
  private let queue = DispatchQueue(label: "mrdib.compute", qos: .userInitiated)
  private let computation: TaskComputation
  private let report: @Sendable (WorkerEvent) -> Void
  private let progressCount = Atomic<UInt64>(0)
  private let exampleCount = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - dataFolder: where the data lies on this machine; nil: in the folder of the configuration.
  ///   - report: called on the queue with the result of every job.
  init(dataFolder: String?, report: @escaping @Sendable (WorkerEvent) -> Void) {
    let logger = Logger(label: "mrdib.worker")
    computation = TaskComputation(
      makeEngine: { try .make($0, RunConfiguration($0), dataFolder: dataFolder) },
      timeouts: { WorkerTimeouts(try RunConfiguration($0)) },
      isPassingShortage: TransientShortage.isCause(of:), warn: { logger.warning("\($0)") },
      releaseMemory: ProcessMemory.release)
    self.report = report
  }

  /// How much of the present task is done, in steps or blocks; may be read on any thread.
  var progress: UInt64 { progressCount.load(ordering: .relaxed) }

  /// The interactions whose gradients were pushed; may be read on any thread.
  var examples: UInt64 { exampleCount.load(ordering: .relaxed) }

  func setUp(_ welcome: Welcome) { run { $0.setUp(welcome) } }

  func begin(_ task: WorkerTask) { run { $0.begin(task) } }

  func advance(_ task: UInt64, _ input: WorkInput) { run { $0.advance(task, input) } }

  private func run(_ job: @escaping @Sendable (TaskComputation) -> WorkerEvent) {
    queue.async { [self] in
      // The queue may use another thread for every job.
      ThreadPriority.lowerForComputation()
      MappedFile.unblockBusErrors()
      let event = job(computation)
      progressCount.store(computation.progress, ordering: .relaxed)
      exampleCount.store(computation.examples, ordering: .relaxed)
      report(event)
      // While servers compute and messages travel.
      computation.prepare()
    }
  }
}

extension WorkerEngine {
  /// Loads what a welcome describes.
  ///
  /// - Throws: an error with a sentence when data or configuration do not fit the run.
  static func make(
    _ welcome: Welcome, _ configuration: RunConfiguration, dataFolder: String?
  ) throws -> WorkerEngine {
    let setup = try RunSetup(
      configuration: configuration, folder: dataFolder ?? configuration.data.folder)
    let expected = configuration.data.digest
    guard expected.isEmpty || expected == setup.dataset.digest else {
      throw TrainingError(
        "the data in '\(dataFolder ?? configuration.data.folder)' is not that of the run (digest "
          + "\(setup.dataset.digest), the coordinator has \(expected)); copy the same files to "
          + "every machine.")
    }
    return setup.engine(serverCount: Int(welcome.serverCount))
  }
}

extension WorkerTimeouts {
  init(_ configuration: RunConfiguration) {
    let cluster = configuration.cluster
    let computation = cluster.computationTimeout
    self.init(
      node: Double(cluster.nodeTimeout) / 1000,
      computation: computation == 0 ? .infinity : Double(computation) / 1000)
  }
}
