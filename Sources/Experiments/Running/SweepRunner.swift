import Checkpoints
import Configuration
import Coordinator
import Datasets
import Dispatch
import Foundation
import Runtime
import Settings
import Synchronization

/// Trains the runs of a sweep, each in a folder of its own, and writes the record from which an
/// interrupted sweep resumes.
///
/// A run with the configuration and data of a finished one in the record is not trained again; one
/// that was interrupted, or failed in an earlier attempt, starts from scratch in an empty folder. A
/// failed run is recorded, and the others continue. Points that resolve to the same configuration,
/// because a setting has no effect there, are one run.
///
/// Runs can be trained up to some epoch, and later further. Such a runner resumes interrupted runs,
/// too.
package final class SweepRunner: Sendable {
  private let request: RunRequest
  private let folder: SweepFolder
  private let execution: any RunExecution
  private let jobs: Int
  private let resumesRuns: Bool
  private let stop: StopRelay
  private let report: @Sendable (String) -> Void
  private let store: SweepStore
  private let state: Mutex<State>

  /// What the jobs share.
  private struct State {
    var progress: SweepProgress
    /// All runs requested so far, for the table.
    var runs: [SweepRun.Identity: SweepRun] = [:]
    /// Inputs whose data other points use again, one for each data set.
    var inputs: [RunInput] = []
    var warnings: Set<String> = []
    var order: [SweepRun.Identity] = []
    /// The error that ended the sweep early.
    var error: (any Error)?
  }

  /// A point with its settings and data.
  private struct Planned: Sendable {
    let input: RunInput
    var run: SweepRun
    var pause: Int?
  }

  /// - Parameters:
  ///   - request: the data, and the settings below the points'.
  ///   - expectedRuns: how many runs there will be, to estimate the time left; nil if that depends
  ///     on their results.
  ///   - jobs: how many runs are trained at the same time, each on one thread.
  ///   - resumesRuns: whether an interrupted run is resumed rather than trained from scratch.
  ///   - report: called with progress lines, on any thread.
  /// - Throws: `CoordinationError` when the record cannot be used.
  /// - Precondition: `jobs > 0`.
  package init(
    request: RunRequest, folder: SweepFolder, execution: any RunExecution, expectedRuns: Int?,
    jobs: Int = 1, resumesRuns: Bool = false, signals: any StopSignals,
    report: @escaping @Sendable (String) -> Void
  ) throws {
    precondition(jobs > 0)
    self.request = request
    self.folder = folder
    self.execution = execution
    self.jobs = jobs
    self.resumesRuns = resumesRuns
    self.report = report
    stop = StopRelay(signals)
    store = try SweepStore(path: folder.storePath)
    state = Mutex(State(progress: SweepProgress(expected: expectedRuns, jobs: jobs)))
  }

  /// The signal that stopped the sweep, if one did.
  package var stopSignal: Int32? { stop.signal }

  /// Trains the runs of some points; returns when all are over or a signal asked to stop.
  ///
  /// - Parameter pause: after how many epochs a run stops, to be resumed by a later call; nil: all
  ///   are trained to their end.
  /// - Returns: one run per point, in their order; those not begun are `waiting`.
  /// - Throws: errors with a sentence, before any run, when a point's settings are wrong; or when
  ///   the record cannot be written.
  /// - Precondition: the runner resumes runs if there is a pause.
  package func run(
    _ points: [SweepPoint], pausingAfter pause: Int? = nil
  ) throws -> [SweepRun] {
    precondition(resumesRuns || pause == nil, "a paused run is resumed")
    let planned = try plan(points, pausingAfter: pause)
    for warning in Set(planned.compactMap(\.input.redundancyWarning)).sorted()
    where state.withLock({ $0.warnings.insert(warning).inserted }) {
      report("warning: \(warning)")
    }
    let distinct = Set(planned.map(\.run.identity)).count
    if distinct < planned.count {
      report(
        "\(planned.count - distinct) of \(planned.count) points have the same configuration as "
          + "another, because a setting has no effect there; each configuration is trained once")
    }
    let known = Dictionary(
      try store.runs().filter { $0.isOver(pausingAfter: pause) }.map { ($0.identity, $0) },
      uniquingKeysWith: { first, _ in first })
    let pending = Mutex(take(planned, known: known))
    let count = pending.withLock { $0.count }
    try store.plan(planned.map(\.run))
    try writeTable()
    if count > 0 {
      DispatchQueue.concurrentPerform(iterations: min(jobs, count)) { _ in
        while stop.signal == nil, state.withLock({ $0.error == nil }),
          let next = pending.withLock({ $0.popLast() })
        {
          do {
            try make(next)
          } catch {
            state.withLock { $0.error = $0.error ?? error }
          }
        }
      }
    }
    return try state.withLock { state in
      if let error = state.error { throw error }
      return planned.map { planned in
        var run = state.runs[planned.run.identity] ?? planned.run
        run.coordinates = planned.run.coordinates
        return run
      }
    }
  }

  /// Resolves all points before the first is trained, so that a mistake in any is found at once.
  private func plan(_ points: [SweepPoint], pausingAfter pause: Int?) throws -> [Planned] {
    var inputs = state.withLock { $0.inputs }
    defer { state.withLock { $0.inputs = inputs } }
    return try points.map { point in
      let input = try request.input(point.layers + execution.layers, reusing: inputs)
      if !inputs.contains(where: { $0.dataset === input.dataset }) { inputs.append(input) }
      let configuration = input.configuration
      let identity = SweepRun.Identity(
        configurationDigest: configuration.digest, dataDigest: input.dataset.digest)
      return Planned(
        input: input,
        run: SweepRun(
          identity: identity, repetitionDigest: configuration.digestAcrossSeeds,
          coordinates: point.coordinates, seed: configuration.training.seed,
          selectionMetric: configuration.selection.metric.yaml, folder: folder.runFolder(identity),
          state: .waiting),
        pause: pause)
    }
  }

  /// Enters the points into the shared state and returns the runs to train, the last one first.
  private func take(_ planned: [Planned], known: [SweepRun.Identity: SweepRun]) -> [Planned] {
    state.withLock { state in
      var pending: [Planned] = []
      var seen: Set<SweepRun.Identity> = []
      for planned in planned where seen.insert(planned.run.identity).inserted {
        let identity = planned.run.identity
        if let earlier = state.runs[identity] {
          // A failed run is tried again by the next program.
          if earlier.state == .failed || earlier.isOver(pausingAfter: planned.pause) { continue }
        } else {
          state.order.append(identity)
        }
        if let finished = known[identity] {
          state.runs[identity] = finished
          state.progress.found(finished)
        } else {
          state.runs[identity] = planned.run
          pending.append(planned)
        }
      }
      return pending.reversed()
    }
  }

  private func make(_ planned: Planned) throws {
    var run = planned.run
    let begun = ProcessInfo.processInfo.systemUptime
    let isResumed = try resumesRuns && isResumable(run)
    if !isResumed { try folder.removeRun(run.folder) }
    run.state = .running
    try store.record(run)
    let outcome: RoleOutcome
    do {
      let path = folder.absolute(run.folder)
      outcome = try execution.run(
        planned.input,
        in: isResumed ? RunDirectory(existing: path) : RunDirectory.create(at: path),
        pausingAfter: planned.pause, signals: stop.listener())
    } catch {
      outcome = RoleOutcome(exitCode: ExitCode(describing: error), message: "\(error)")
    }
    close(&run, outcome, pausedAfter: planned.pause)
    try store.record(run)
    let seconds = ProcessInfo.processInfo.systemUptime - begun
    let line = state.withLock { state in
      state.runs[run.identity] = run
      return state.progress.ended(run, seconds: seconds)
    }
    // That the sweep was stopped is said once, at its end.
    if run.state != .interrupted { report(line) }
    try writeTable()
  }

  /// Whether the run was begun for this sweep, and its folder holds a run that has not ended.
  private func isResumable(_ run: SweepRun) throws -> Bool {
    let recorded = try store.runs().first { $0.identity == run.identity }
    guard [.running, .paused, .interrupted].contains(recorded?.state) else { return false }
    let path = RunDirectory(existing: folder.absolute(run.folder)).storePath
    guard FileManager.default.fileExists(atPath: path) else { return false }
    let store = try RunStore(path: path)
    defer { try? store.close() }
    return try store.load().map { [.forming, .running, .interrupted].contains($0.progress.status) }
      ?? false
  }

  /// Enters how a run ended and what it measured.
  private func close(
    _ run: inout SweepRun, _ outcome: RoleOutcome, pausedAfter pause: Int?
  ) {
    run.message = outcome.message
    switch outcome.exitCode {
    case .success: run.state = .finished
    case .interrupted, .terminated:
      // After a signal the last evaluation may be missing.
      if let pause, stop.signal == nil,
        let result = try? RunResult(run: folder.absolute(run.folder)), result.epochsRun >= pause
      {
        run.state = .paused
        break
      }
      run.state = .interrupted
      stop.note(outcome.exitCode == .terminated ? 15 : 2)
    default: run.state = .failed
    }
    do {
      run.result = try RunResult(run: folder.absolute(run.folder))
    } catch {
      // A run that ended early may have no result.
      guard run.state == .finished else { return }
      run.state = .failed
      run.message = "\(error)"
    }
  }

  private func writeTable() throws {
    try state.withLock { state in
      let runs = state.order.compactMap { state.runs[$0] }
      try DurableFile.write(Array(RunTable(runs).csv.utf8), to: folder.tablePath)
    }
  }
}

/// Forwards one request to stop to every running run.
final class StopRelay: Sendable {
  private let source: any StopSignals
  private let seen = Mutex<Int32?>(nil)

  init(_ source: any StopSignals) { self.source = source }

  /// The signal that asked to stop, if one did.
  var signal: Int32? {
    seen.withLock { seen in
      if seen == nil { seen = source.next() }
      return seen
    }
  }

  /// Records a signal that a run received.
  func note(_ signal: Int32) { seen.withLock { $0 = $0 ?? signal } }

  /// The signals of one run: the request to stop, once.
  func listener() -> any StopSignals { Listener(relay: self) }

  private final class Listener: StopSignals {
    private let relay: StopRelay
    private let isDelivered = Mutex(false)

    init(relay: StopRelay) { self.relay = relay }

    func next() -> Int32? {
      guard let signal = relay.signal else { return nil }
      return isDelivered.withLock { isDelivered in
        defer { isDelivered = true }
        return isDelivered ? nil : signal
      }
    }
  }
}
