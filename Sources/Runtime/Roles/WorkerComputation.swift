import Datasets
import Dispatch
import Messages
import RunConfiguration
import Settings
import Synchronization
import Training

/// A worker's computation on a thread of its own, so that long products hold up no heartbeat.
///
/// Confined to one serial queue: every job runs there, in the order in which it was asked for.
final class WorkerComputation: @unchecked Sendable {  // state is touched only on `queue`
  /// What a job came to.
  enum Outcome: Sendable {
    case setUp(generation: UInt64, WorkerTimeouts)
    case setUpFailed(generation: UInt64, String)
    case advanced(task: UInt64, WorkOutput)
    case taskFailed(task: UInt64, TaskFailure)
  }

  private let queue = DispatchQueue(label: "mrdib.compute", qos: .userInitiated)
  private let dataFolder: String?
  private let report: @Sendable (Outcome) -> Void
  private var engine: WorkerEngine?
  /// What the engine was made of.
  private var configuration = ""
  private var work: (any Work)?
  private let progressCount = Atomic<UInt64>(0)

  /// - Parameters:
  ///   - dataFolder: where the data lies on this machine; nil means where the configuration says.
  ///   - report: called on the queue after every job.
  init(dataFolder: String?, report: @escaping @Sendable (Outcome) -> Void) {
    self.dataFolder = dataFolder
    self.report = report
  }

  /// What is done of the task under way, in steps or blocks; for any thread.
  var progress: UInt64 { progressCount.load(ordering: .relaxed) }

  /// Loads data and model, or keeps those that an earlier generation had.
  func setUp(_ welcome: Welcome) {
    queue.async { [self] in
      ThreadPriority.giveWayToNetwork()
      MappedFile.readHere()
      do {
        let resolved = try RunConfiguration(welcome)
        if let engine, configuration == welcome.configuration {
          engine.enter(serverCount: Int(welcome.serverCount))
        } else {
          engine = try WorkerEngine.make(welcome, resolved, dataFolder: dataFolder)
          configuration = welcome.configuration
        }
        report(.setUp(generation: welcome.generation, WorkerTimeouts(resolved)))
      } catch {
        report(
          .setUpFailed(
            generation: welcome.generation, "worker \(welcome.rank) cannot take part: \(error)"))
      }
    }
  }

  func begin(_ task: WorkerTask) {
    queue.async { [self] in
      run(task.id) {
        guard let engine else { throw TrainingError("A task came before the worker was set up.") }
        work = try engine.work(for: task)
        return .begin
      }
    }
  }

  func advance(_ task: UInt64, _ input: WorkInput) {
    queue.async { [self] in run(task) { input } }
  }

  private func run(_ task: UInt64, _ input: () throws -> WorkInput) {
    // The queue may have another thread every time.
    ThreadPriority.giveWayToNetwork()
    MappedFile.readHere()
    do {
      let input = try input()
      guard let work, let engine else { throw TrainingError("No task is under way.") }
      let output = try engine.advance(work, input)
      progressCount.store(work.progress, ordering: .relaxed)
      report(.advanced(task: task, output))
    } catch {
      work = nil
      report(.taskFailed(task: task, TaskFailure(describing: error)))
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
