import Datasets
import Protocol
import Worker

/// The jobs of a worker: setting up data and model, and computing tasks. Each job returns the event
/// that reports its result to the ``WorkerNode``.
///
/// Not `Sendable`: jobs run one after the other, on one thread or serial queue.
package final class TaskComputation {
  private let makeEngine: (Welcome) throws -> WorkerEngine
  private let timeouts: (Welcome) throws -> WorkerTimeouts
  private let isPassingShortage: (any Error) -> Bool
  private let warn: (String) -> Void
  private var engine: WorkerEngine?
  /// The configuration that the engine was made from.
  private var configuration = ""
  private var work: (any Work)?
  /// The interactions whose gradients were pushed, of all tasks.
  package private(set) var examples: UInt64 = 0

  /// - Parameters:
  ///   - makeEngine: loads data and model of a run.
  ///   - timeouts: of a run.
  ///   - isPassingShortage: see ``ConnectingEnvironment/isPassingShortage(_:)``.
  ///   - warn: writes a line to the log.
  package init(
    makeEngine: @escaping (Welcome) throws -> WorkerEngine,
    timeouts: @escaping (Welcome) throws -> WorkerTimeouts = { _ in WorkerTimeouts() },
    isPassingShortage: @escaping (any Error) -> Bool = { _ in false },
    warn: @escaping (String) -> Void = { _ in }
  ) {
    self.makeEngine = makeEngine
    self.timeouts = timeouts
    self.isPassingShortage = isPassingShortage
    self.warn = warn
  }

  /// How much of the present task is done, in steps or blocks; 0 without a task.
  package var progress: UInt64 { work?.progress ?? 0 }

  /// Loads data and model, or keeps those of an earlier generation.
  package func setUp(_ welcome: Welcome) -> WorkerEvent {
    do {
      let timeouts = try timeouts(welcome)
      if let engine, configuration == welcome.configuration {
        engine.enter(serverCount: Int(welcome.serverCount))
      } else {
        engine = try makeEngine(welcome)
        configuration = welcome.configuration
      }
      return .setUp(generation: welcome.generation, timeouts)
    } catch {
      return .setUpFailed(
        generation: welcome.generation, "worker \(welcome.rank) cannot take part: \(error)",
        isTransient: isPassingShortage(error))
    }
  }

  /// Begins a task; it replaces the present one, if any.
  package func begin(_ task: WorkerTask) -> WorkerEvent {
    run(task.id) {
      guard let engine else { throw TrainingError("A task came before the worker was set up.") }
      work = try engine.work(for: task)
      return .begin
    }
  }

  /// Continues a task with what it waited for.
  package func advance(_ task: UInt64, _ input: WorkInput) -> WorkerEvent { run(task) { input } }

  private func run(_ task: UInt64, _ input: () throws -> WorkInput) -> WorkerEvent {
    do {
      let input = try input()
      guard let work, let engine else { throw TrainingError("No task is under way.") }
      let before = work.examples
      let output = try work.advance(input)
      examples += work.examples - before
      // A result counts only if the data files have not changed since the run began.
      if case .done = output {
        for notice in try engine.dataset.sources.check() { warn(notice) }
      }
      return .advanced(task: task, output)
    } catch {
      work = nil
      return .taskFailed(task: task, TaskFailure(describing: error))
    }
  }
}
