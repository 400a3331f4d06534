import Coordinator
import Files
import Protocol
import Recommenders

/// Turns the events of a run into progress lines. A value: it has no terminal and no clock.
///
/// Epochs are counted from 0, as in all files. On a terminal a line that is rewritten shows where
/// the run is; every epoch leaves one line, once its evaluation is known.
package struct ProgressView: Sendable, Equatable {
  package enum Output: Sendable, Equatable {
    /// A line that stays.
    case line(String)
    /// The line that the next output replaces.
    case status(String)
  }

  /// A wait is not shown while there was progress within so many seconds.
  private static let patience = 2.0

  private var style: ProgressStyle
  private let detail: ProgressDetail
  private let plan: ProgressPlan
  private var forecast: StoppingForecast
  private var pace = EpochPace()
  /// How many workers take part; nil while the cluster forms.
  private var workers: Int?
  /// A finished epoch that has no line yet.
  private var finished: EpochSummary?
  private var evaluated: EvaluationSummary?
  /// Of the last finished epoch.
  private var loss: Double?
  private var lastShownAt: Double?
  private var progressAt: Double?
  private var status = ""

  /// - Parameter selection: of a run that is resumed, as far as it was evaluated.
  package init(
    style: ProgressStyle, detail: ProgressDetail = .normal, plan: ProgressPlan,
    selection: ModelSelection? = nil
  ) {
    self.style = style
    self.detail = detail
    self.plan = plan
    forecast = StoppingForecast(
      plan, selection: selection ?? ModelSelection(rule: plan.selection))
  }

  /// The terminal has another width.
  package mutating func resize(to width: Int) {
    if case .rewriting = style { style = .rewriting(width: width) }
  }

  /// - Parameter now: seconds on a monotonic clock.
  package mutating func handle(_ event: RunEvent, at now: Double) -> [Output] {
    if case .progress(let activity, let epoch, let done, let total) = event {
      return show(activity, epoch: epoch, done: done, total: total, at: now)
    }
    let news = style == .quiet ? [] : news(of: event, at: now)
    let lines = (detail == .brief ? [] : news) + warnings(of: event)
    if !lines.isEmpty {
      lastShownAt = now
      status = ""
    }
    return lines.map { .line($0.withoutControlCharacters()) }
  }

  /// Shows what the run waits for at this moment, on a line that is rewritten.
  ///
  /// - Parameter secondsLeft: before the run ends, or before a silent member counts as lost.
  package mutating func showWait(
    for what: String, secondsLeft: Double, at now: Double
  ) -> [Output] {
    guard case .rewriting = style, now - (progressAt ?? -.infinity) >= Self.patience else {
      return []
    }
    let text = ProgressLines.wait(
      for: what.withoutControlCharacters(), secondsLeft: secondsLeft, atMost: style.lineLimit)
    guard text != status else { return [] }
    status = text
    return [.status(text)]
  }

  // MARK: The line that is rewritten

  private mutating func show(
    _ activity: RunEvent.Activity, epoch: UInt32, done: UInt64, total: UInt64, at now: Double
  ) -> [Output] {
    progressAt = now
    let text = ProgressLines.status(
      moment(activity, epoch: epoch, done: done, total: total, at: now)
    ).text(atMost: style.lineLimit).withoutControlCharacters()
    switch style {
    case .rewriting:
      status = text
      return [.status(text)]
    case .plain(let interval):
      guard now - (lastShownAt ?? -.infinity) >= interval else { return [] }
      lastShownAt = now
      return [.line(text)]
    case .quiet: return []
    }
  }

  private func moment(
    _ activity: RunEvent.Activity, epoch: UInt32, done: UInt64, total: UInt64, at now: Double
  ) -> ProgressLines.Moment {
    let share = total > 0 ? Double(done) / Double(total) : 0
    let isTraining = activity == .train
    return ProgressLines.Moment(
      epoch: epoch, epochCount: plan.evaluations.epochs, loss: loss, best: forecast.best,
      rate: isTraining && done > 0
        ? pace.rate(of: plan.examplesPerEpoch, at: share, now) : nil,
      secondsLeft: secondsLeft(after: Double(epoch) + (isTraining ? share : 1), at: now),
      activity: activity, done: done, total: total,
      workers: workers.map { ($0, Int(plan.workerCount)) })
  }

  private func secondsLeft(after reached: Double, at now: Double) -> ClosedRange<Double>? {
    guard let pace = pace.secondsPerEpoch(after: reached, at: now) else { return nil }
    let left = forecast.epochsLeft(after: reached)
    return left.lowerBound * pace...left.upperBound * pace
  }

  // MARK: Lines that stay

  private mutating func news(of event: RunEvent, at now: Double) -> [String] {
    switch event {
    case .clusterFormed(let count, let servers, let seconds):
      workers = Int(count)
      return [
        "\(ProgressFormat.count(Int(count), "worker")) and "
          + "\(ProgressFormat.count(Int(servers), "server")) are ready after "
          + ProgressFormat.duration(seconds), plan.sentence,
      ]
    case .nodeJoined(let role, _, _):
      guard let count = workers else { return [] }  // One line sums up all that join at first.
      if role == .worker { workers = count + 1 }
      return event.news
    case .nodeLost(let role, _, _, _):
      if role == .worker, let count = workers { workers = max(0, count - 1) }
      return []
    case .epochStarted(let epoch, _, let share):
      let lines = finished?.epoch == epoch ? [] : epochLines(at: now)
      pace.begin(epoch, share: share, at: now)
      forecast.begin(epoch)
      lastShownAt = lastShownAt ?? now
      return lines
    case .epochFinished(let summary):
      finished = summary
      loss = summary.values["loss.total"]
      return []
    case .evaluated(let summary):
      evaluated = summary
      return []
    case .improved(_, let value, _, let epoch):
      forecast.improved(value, epoch: epoch)
      return epochLines(at: now)
    case .notImproved(let best, let count):
      guard let evaluated else { return [] }
      forecast.notImproved(count, best: best, epoch: evaluated.epoch)
      return epochLines(at: now)
    case .stopping: return epochLines(at: now) + event.news
    case .checkpointCommitted, .bestSaved: return detail == .verbose ? event.news : []
    default: return event.news
    }
  }

  private func warnings(of event: RunEvent) -> [String] {
    if case .waiting(_, _, .some) = event, case .rewriting = style {
      return []  // The line that is rewritten shows it.
    }
    return event.warning.map { [$0] } ?? []
  }

  /// The line of the epoch that was finished or evaluated, and its details.
  private mutating func epochLines(at now: Double) -> [String] {
    guard let epoch = finished?.epoch ?? evaluated?.epoch else { return [] }
    let (summary, evaluation) = (finished, evaluated)
    (finished, evaluated) = (nil, nil)
    let reached = Double(epoch) + 1
    let toEvaluation = forecast.epochsToEvaluation(from: epoch)
    let seconds = summary?.seconds ?? 0
    let result = ProgressLines.Result(
      epoch: epoch, epochCount: plan.evaluations.epochs, loss: summary?.values["loss.total"],
      metric: evaluation?.metrics[plan.selection.metric],
      metricNames: [plan.metric, plan.shortMetric], epochsToEvaluation: toEvaluation,
      best: forecast.best, rate: seconds > 0 ? Double(plan.examplesPerEpoch) / seconds : nil,
      secondsLeft: secondsLeft(after: reached, at: now))
    let line = ProgressLines.epoch(result).text(atMost: style.lineLimit)
    guard detail == .verbose else { return [line] }
    return [line] + ProgressLines.details(summary, evaluation, without: plan.selection.metric)
  }
}

/// How fast epochs are trained and evaluated in this process.
struct EpochPace: Sendable, Equatable {
  /// When this process began to train, and how many epochs were trained before.
  private var firstAt: Double?
  private var firstReached = 0.0
  private var epochAt = 0.0
  /// The share of the present epoch that was trained before it began here.
  private var epochShare = 0.0

  /// - Parameter share: of the epoch, which was trained before: after a rollback or a new start.
  mutating func begin(_ epoch: UInt32, share: Double, at now: Double) {
    if firstAt == nil { (firstAt, firstReached) = (now, Double(epoch) + share) }
    (epochAt, epochShare) = (now, share)
  }

  /// - Parameters:
  ///   - examples: of an epoch.
  ///   - share: of the present epoch, as far as it is trained.
  /// - Returns: examples per second since the epoch began here; nil where no time has passed.
  func rate(of examples: UInt64, at share: Double, _ now: Double) -> Double? {
    now > epochAt ? max(0, share - epochShare) * Double(examples) / (now - epochAt) : nil
  }

  /// - Parameter reached: epochs that are trained, with the share of the present one.
  /// - Returns: the mean so far; nil before anything was trained.
  func secondsPerEpoch(after reached: Double, at now: Double) -> Double? {
    guard let firstAt, reached > firstReached else { return nil }
    return (now - firstAt) / (reached - firstReached)
  }
}
