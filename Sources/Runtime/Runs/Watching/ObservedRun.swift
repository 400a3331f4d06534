import Coordinator
import Files
import Foundation
import Protocol
import Recommenders

/// What is known of a run under way: a value that events change and that overviews are made of.
///
/// Times are seconds of a monotonic clock.
package struct ObservedRun: Sendable {
  package let description: RunOverview.Description
  private let plan: ProgressPlan
  private let stepsPerEpoch: UInt64
  /// When this process began the run or resumed it, and how long it was trained before that.
  private let startedAt: Double
  private let startDate: Date
  private let earlierSeconds: Double

  package private(set) var isOver = false
  private var state = RunState.forming
  private var message = ""
  private var epochs: [RunOverview.Epoch]
  private var historyRevision: UInt64 = 0
  private var selection: RunOverview.Selection
  private var forecast: StoppingForecast
  private var pace = EpochPace()
  private var position: RunOverview.Position
  private var wait: (what: String, secondsLeft: Double, at: Double)?
  private var endedAt: Double?
  private var nodes: ObservedNodes
  private var events = ObservedEvents()

  /// - Parameters:
  ///   - stored: what is recorded of a run that is resumed.
  ///   - earlier: its events so far.
  ///   - now: on the monotonic clock.
  package init(
    _ description: RunOverview.Description, plan: RunPlan, examplesPerEpoch: UInt64,
    selection: ModelSelection, stored: StoredRun?, events earlier: [RunOverview.Event] = [],
    at now: Double,
    date: Date = Date()
  ) {
    self.description = description
    self.plan = ProgressPlan(plan, examplesPerEpoch: examplesPerEpoch)
    stepsPerEpoch = UInt64(plan.stepsPerEpoch)
    startedAt = now
    startDate = date
    epochs = RunOverview.epochs(of: stored)
    earlierSeconds = epochs.last.map { $0.at + ($0.evaluateSeconds ?? 0) } ?? 0
    self.selection = RunOverview.Selection(selection)
    forecast = StoppingForecast(self.plan, selection: selection)
    let finished = UInt32(epochs.count)
    position = RunOverview.Position(epoch: finished, epochsFinished: finished)
    nodes = ObservedNodes(
      examplesPerStep: Double(examplesPerEpoch) / Double(max(1, plan.stepsPerEpoch)),
      shards: plan.shardCount, heartbeat: plan.timing.heartbeatInterval)
    for event in earlier { events.add(event) }
  }

  // MARK: What happens

  /// - Returns: the event as overviews have it; nil if they do not.
  @discardableResult
  package mutating func handle(_ event: RunEvent, at now: Double) -> RunOverview.Event? {
    switch event {
    case .epochStarted(let epoch, _, let share):
      pace.begin(epoch, share: share, at: now)
      forecast.begin(epoch)
      state = .training
      position = RunOverview.Position(
        epoch: epoch, epochsFinished: position.epochsFinished, activity: "train", done: 0,
        total: stepsPerEpoch)
    case .progress(let activity, let epoch, let done, let total):
      state = activity == .train ? .training : .evaluating
      position.epoch = epoch
      position.activity = activity.rawValue
      (position.done, position.total) = (done, total)
      if activity == .train, done > 0, total > 0 {
        let share = Double(done) / Double(total)
        position.examplesPerSecond = pace.rate(of: plan.examplesPerEpoch, at: share, now)
      }
    case .epochFinished(let summary): finish(summary, at: now)
    case .evaluated(let evaluation): note(evaluation)
    case .improved(_, let value, _, let epoch):
      forecast.improved(value, epoch: epoch)
      selection.bestEpoch = epoch
      selection.bestValue = value.isFinite ? value : nil
      selection.notImproved = 0
    case .notImproved(let best, let count):
      if let last = epochs.last(where: { $0.evaluateSeconds != nil }) {
        forecast.notImproved(count, best: best, epoch: last.epoch)
      }
      selection.notImproved = count
    case .nodeLost(let role, let rank, _, let how):
      nodes.lose(role, rank, how, at: now)
      wait = nil
    case .recovering: position.activity = nil
    case .stopRequested: state = .draining
    case .stopping(let outcome): end(outcome, at: now)
    case .nodeJoined, .nodeRefused, .awaitingWorkers, .waiting, .idleWorkers, .otherKernels,
      .clusterFormed, .checkpointSearchFailed, .olderCheckpoint, .resumed, .bestSaved,
      .bestNotSaved,
      .checkpointCommitted, .checkpointFailed, .checkpointOverdue:
      break
    }
    let noted = RunOverview.Event(
      event, time: date(at: now), at: elapsed(at: now), position: position.reached)
    if let noted { events.add(noted) }
    return noted
  }

  private mutating func finish(_ summary: EpochSummary, at now: Double) {
    let epoch = RunOverview.Epoch(summary, nil, at: elapsed(at: now))
    if let index = epochs.firstIndex(where: { $0.epoch == epoch.epoch }) {
      epochs[index] = epoch
      historyRevision += 1
    } else {
      epochs.append(epoch)
    }
    position.epochsFinished = max(position.epochsFinished, summary.epoch + 1)
    position.activity = nil
    if summary.seconds > 0 {
      position.examplesPerSecond = Double(plan.examplesPerEpoch) / summary.seconds
    }
  }

  private mutating func note(_ evaluation: EvaluationSummary) {
    guard let index = epochs.lastIndex(where: { $0.epoch == evaluation.epoch }) else { return }
    if epochs[index].evaluateSeconds != nil || index < epochs.count - 1 { historyRevision += 1 }
    epochs[index].set(evaluation)
  }

  private mutating func end(_ outcome: RunOutcome, at now: Double) {
    switch outcome.ending {
    case .completed: state = .completed
    case .earlyStopped: state = .earlyStopped
    case .interrupted: state = .interrupted
    case .failed: state = .failed
    }
    message = outcome.summary.withoutControlCharacters()
    over(at: now)
  }

  /// The run ends for a reason that is no event of the coordinator.
  @discardableResult
  package mutating func fail(_ reason: String, at now: Double) -> RunOverview.Event? {
    guard !isOver else { return nil }
    state = .failed
    message = reason.withoutControlCharacters()
    let event = RunOverview.Event(
      time: date(at: now), at: elapsed(at: now), position: position.reached, kind: "end",
      severity: .error, text: message)
    events.add(event)
    over(at: now)
    return event
  }

  private mutating func over(at now: Double) {
    isOver = true
    endedAt = now
    wait = nil
    nodes.end(at: now)
  }

  package mutating func showWait(for what: String, secondsLeft: Double, at now: Double) {
    guard secondsLeft.isFinite else { return }
    wait = (what.withoutControlCharacters(), secondsLeft, now)
  }

  package mutating func look(at coordinator: RunSnapshot, now: Double) {
    guard !isOver else { return }
    if coordinator.phase != .ended { state = RunState(coordinator) }
    nodes.look(
      coordinator.members, isTraining: coordinator.phase == .training,
      stepsBefore: UInt64(position.epoch) * stepsPerEpoch, at: now)
  }

  // MARK: The overview

  package func overview(since epoch: UInt32, at now: Double) -> RunOverview {
    var position = position
    if let wait, now - wait.at < 2.5 {
      position.waitingFor = wait.what
      position.waitSecondsLeft = wait.secondsLeft
    }
    let shown = RunOverview.thinned(epochs, best: selection.bestEpoch)
    var overview = RunOverview(
      time: date(at: now), run: description, state: state, message: message, position: position,
      timeLeft: timeLeft(at: now), elapsedSeconds: elapsed(at: endedAt ?? now),
      selection: selection, epochs: shown.filter { $0.epoch >= epoch },
      historyRevision: historyRevision, modalities: [], pairs: [], gate: nil,
      nodes: nodes.table(at: now) { date(at: $0) }, events: events.all)
    overview.setGauges(from: epochs.last)
    return overview
  }

  private func timeLeft(at now: Double) -> RunOverview.TimeLeft? {
    guard !isOver else { return nil }
    let reached = position.reached
    guard let seconds = pace.secondsPerEpoch(after: reached, at: now) else { return nil }
    let left = forecast.epochsLeft(after: reached)
    return RunOverview.TimeLeft(left.lowerBound * seconds...left.upperBound * seconds)
  }

  private func elapsed(at now: Double) -> Double { earlierSeconds + max(0, now - startedAt) }

  private func date(at now: Double) -> String {
    startDate.addingTimeInterval(now - startedAt).ISO8601Format()
  }
}

extension RunOverview {
  /// The finished epochs of a recorded run; the time of each is the sum of the seconds so far.
  static func epochs(of stored: StoredRun?) -> [Epoch] {
    guard let stored else { return [] }
    let evaluations = Dictionary(
      stored.evaluations.map { ($0.epoch, $0) }, uniquingKeysWith: { _, last in last })
    var seconds = 0.0
    return stored.epochs.map { summary in
      let evaluation = evaluations[summary.epoch]
      seconds += summary.seconds
      defer { seconds += evaluation?.seconds ?? 0 }
      return Epoch(summary, evaluation, at: seconds)
    }
  }
}
