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
  private let releaseMemory: () -> Void
  private var engine: WorkerEngine?
  /// The configuration that the engine was made from.
  private var configuration = ""
  /// The task under way; nil when it has its results, so that its memory is free.
  private var work: (any Work)?
  /// Whether the task waits for rows.
  private var isWaiting = false
  /// The interactions whose gradients were pushed, of all tasks.
  package private(set) var examples: UInt64 = 0

  /// - Parameters:
  ///   - makeEngine: loads data and model of a run.
  ///   - timeouts: of a run.
  ///   - isPassingShortage: see ``ConnectingEnvironment/isPassingShortage(_:)``.
  ///   - warn: writes a line to the log.
  ///   - releaseMemory: returns freed memory to the system, after a task with large buffers.
  package init(
    makeEngine: @escaping (Welcome) throws -> WorkerEngine,
    timeouts: @escaping (Welcome) throws -> WorkerTimeouts = { _ in WorkerTimeouts() },
    isPassingShortage: @escaping (any Error) -> Bool = { _ in false },
    warn: @escaping (String) -> Void = { _ in },
    releaseMemory: @escaping () -> Void = {}
  ) {
    self.makeEngine = makeEngine
    self.timeouts = timeouts
    self.isPassingShortage = isPassingShortage
    self.warn = warn
    self.releaseMemory = releaseMemory
  }

  /// How much of the present or last task is done, in steps or blocks; 0 without a task.
  package private(set) var progress: UInt64 = 0

  /// Buffers of a task from which on the memory of other tasks is returned to the system with them:
  /// it costs page faults, which do not matter next to filling so much memory.
  private static let largeByteCount = 64 << 20

  /// Loads data and model, or keeps those of an earlier generation.
  package func setUp(_ welcome: Welcome) -> WorkerEvent {
    isWaiting = false
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
      endWork()
      progress = 0
      work = try engine.work(for: task)
      return .begin
    }
  }

  /// Continues a task with what it waited for.
  package func advance(_ task: UInt64, _ input: WorkInput) -> WorkerEvent { run(task) { input } }

  /// Computes something of what the present task will need, while it waits for servers. To be
  /// called after the event of a job was passed on; a task that has ended needs nothing.
  package func prepare() {
    if isWaiting { work?.prepare() }
  }

  private func run(_ task: UInt64, _ input: () throws -> WorkInput) -> WorkerEvent {
    do {
      let output = try advanceWork(try input())
      switch output {
      case .pull, .pushAndPull: isWaiting = true
      case .push, .reduce, .done: break
      }
      if case .done = output {
        endWork()
        // A result counts only if the data files have not changed since the run began.
        for notice in try engine?.dataset.sources.check() ?? [] { warn(notice) }
      }
      return .advanced(task: task, output)
    } catch {
      endWork()
      return .taskFailed(task: task, TaskFailure(describing: error))
    }
  }

  private func advanceWork(_ input: WorkInput) throws -> WorkOutput {
    guard let work else { throw TrainingError("No task is under way.") }
    let before = work.examples
    isWaiting = false
    let output = try work.advance(input)
    examples += work.examples - before
    progress = work.progress
    return output
  }

  private func endWork() {
    let byteCount = work?.bufferByteCount ?? 0
    work = nil
    isWaiting = false
    if byteCount >= Self.largeByteCount { releaseMemory() }
  }
}
