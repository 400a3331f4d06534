import Coordinator
import Recommenders

/// The texts of progress lines, from the most that they can show to the least.
enum ProgressLines {
  /// What a line shows during an epoch.
  struct Moment {
    var epoch: UInt32
    /// How many epochs there are.
    var epochCount: UInt32
    /// Of the epoch before.
    var loss: Double?
    var best: StoppingForecast.Best?
    /// Examples per second.
    var rate: Double?
    var secondsLeft: ClosedRange<Double>?
    var activity: RunEvent.Activity
    var done: UInt64
    var total: UInt64
    /// How many workers take part, and how many are meant to.
    var workers: (here: Int, planned: Int)?
  }

  /// What a line shows of an epoch that is over.
  struct Result {
    var epoch: UInt32
    /// How many epochs there are.
    var epochCount: UInt32
    var loss: Double?
    /// nil where the epoch was not evaluated.
    var metric: Double?
    /// With and without the split.
    var metricNames: [String]
    var epochsToEvaluation: UInt64
    var best: StoppingForecast.Best?
    /// Examples per second.
    var rate: Double?
    var secondsLeft: ClosedRange<Double>?
  }

  /// `epoch 12  loss .4123  valid recall@20 .0209  best .0213 (3 ago)  448k/s  left 2m-14m`, with
  /// the fields of one line below those of another where there is room.
  static func epoch(_ result: Result) -> FittedLine {
    let fields = [
      epoch(result.epoch, of: result.epochCount), loss(result.loss), metric(result),
      best(result.best, in: result.epoch, width: 6), rate(result.rate, width: 6),
      left(result.secondsLeft, width: 12),
    ]
    let (epoch, loss, metric, best, rate, left) = (0, 1, 2, 3, 4, 5)
    return FittedLine(
      fields,
      steps: [
        .shorten(rate), .shorten(metric), .shorten(best), .shorten(metric), .shorten(epoch),
        .closeUp, .shorten(left), .shorten(rate), .shorten(loss), .shorten(best), .shorten(best),
        .shorten(metric), .shorten(epoch),
      ])
  }

  /// `epoch 12  step 29/58  loss .4123  best .0213 (3 ago)  448k/s  left 2m-14m`
  static func status(_ moment: Moment) -> FittedLine {
    let fields = [
      epoch(moment.epoch, of: moment.epochCount), activity(moment), workers(moment.workers),
      loss(moment.loss), best(moment.best, in: moment.epoch), rate(moment.rate),
      left(moment.secondsLeft),
    ]
    let (epoch, activity, workers, loss, best, rate, left) = (0, 1, 2, 3, 4, 5, 6)
    return FittedLine(
      fields,
      steps: [
        .shorten(rate), .shorten(epoch), .shorten(activity), .shorten(best), .closeUp,
        .shorten(rate), .shorten(loss), .shorten(best), .shorten(workers), .shorten(best),
        .shorten(left), .shorten(workers), .shorten(epoch), .shorten(activity),
      ])
  }

  /// `waiting for 1 worker (2 of 3 here), 95 s left`; the seconds are never cut off.
  static func wait(for what: String, secondsLeft: Double, atMost limit: Int) -> String {
    let left = ProgressFormat.countdown(secondsLeft)
    let forms = ["waiting for \(what), \(left) left", "\(what), \(left) left", "\(what), \(left)"]
    if let form = forms.first(where: { $0.count <= limit }) { return form }
    return String("\(what.prefix(max(0, limit - left.count - 2))), \(left)".suffix(limit))
  }

  /// What an epoch's line leaves out, in indented lines.
  ///
  /// - Parameter metric: the one that the line shows, such as `valid.recall@20`.
  static func details(
    _ epoch: EpochSummary?, _ evaluation: EvaluationSummary?, without metric: String
  ) -> [String] {
    var lines: [String] = []
    if let epoch {
      let losses = epoch.values.keys.filter { $0.hasPrefix("loss.") && $0 != "loss.total" }
        .sorted().map { "\($0.dropFirst(5)) \(ProgressFormat.compact(epoch.values[$0] ?? 0))" }
      let parts = [
        losses.joined(separator: ", "), ProgressFormat.staleness(epoch.values) ?? "",
        "trained in \(ProgressFormat.precise(epoch.seconds))",
      ]
      lines.append(parts.filter { !$0.isEmpty }.joined(separator: "; "))
    }
    if let evaluation {
      // Groups are left to the end.
      let shown = evaluation.metrics.keys.sorted().filter { name in
        name != metric && !name.contains(" ")
          && Metric.headline.contains { name.hasSuffix(".\($0.name(at: 20))") }
      }.map { name in
        let words = name.split(separator: ".").joined(separator: " ")
        let value = ProgressFormat.compact(evaluation.metrics[name] ?? 0)
        let error = SampleSplit.standardErrorName(of: name).flatMap { evaluation.metrics[$0] }
        return "\(words) \(value)" + (error.map { " ± \(ProgressFormat.compact($0))" } ?? "")
      }
      let duration = "evaluated in \(ProgressFormat.precise(evaluation.seconds))"
      lines.append((shown + [duration]).joined(separator: ", "))
    }
    return lines.map { "    \($0)" }
  }

  // MARK: Fields

  private static func epoch(_ epoch: UInt32, of count: UInt32) -> FittedLine.Field {
    let width = "\(max(1, count) - 1)".count
    let padding = String(repeating: " ", count: max(0, width - "\(epoch)".count))
    return FittedLine.Field("epoch \(padding)\(epoch)", "epoch \(epoch)", "\(epoch)")
  }

  private static func activity(_ moment: Moment) -> FittedLine.Field {
    let name =
      switch moment.activity {
      case .train: "step"
      case .materialize: "final vectors"
      case .rank: "ranking"
      }
    // Below 100 until all is done.
    let share = moment.total > 0 ? Double(moment.done) / Double(moment.total) : 0
    return FittedLine.Field(
      "\(name) \(moment.done)/\(moment.total)", "\(Int(max(0, min(1, share)) * 100))%", "")
  }

  private static func workers(_ workers: (here: Int, planned: Int)?) -> FittedLine.Field {
    guard let workers, workers.here < workers.planned else { return FittedLine.Field("") }
    return FittedLine.Field(
      "\(workers.here) of \(workers.planned) workers", "\(workers.here)/\(workers.planned)w", "")
  }

  private static func loss(_ value: Double?) -> FittedLine.Field {
    guard let value else { return FittedLine.Field("") }
    return FittedLine.Field("loss \(ProgressFormat.compact(value))", "")
  }

  private static func metric(_ result: Result) -> FittedLine.Field {
    guard let value = result.metric else {
      let count = result.epochsToEvaluation
      guard count > 0 else { return FittedLine.Field("") }
      return FittedLine.Field("evaluation in \(count)", "eval in \(count)", "eval in \(count)", "")
    }
    let text = ProgressFormat.compact(value)
    let name = result.metricNames[1]
    // Fits `precision@100` whole.
    let brief = name.count > 13 ? "\(name.prefix(12))~" : name
    return FittedLine.Field(
      "\(result.metricNames[0]) \(text)", "\(name) \(text)", "\(brief) \(text)", "")
  }

  /// - Parameter width: of the age, filled up with blanks.
  private static func best(
    _ best: StoppingForecast.Best?, in epoch: UInt32, width: Int = 0
  ) -> FittedLine.Field {
    guard let best else { return FittedLine.Field("") }
    let value = "best \(ProgressFormat.compact(best.value))"
    let ago = epoch > best.epoch ? "\(ProgressFormat.short(Double(epoch - best.epoch))) ago" : "new"
    return FittedLine.Field(
      "\(value) (\(ago))".filled(to: value.count + 3 + width),
      "\(value) \(ago)".filled(to: value.count + 1 + width), value, "")
  }

  private static func rate(_ rate: Double?, width: Int = 0) -> FittedLine.Field {
    guard let rate else { return FittedLine.Field("") }
    let brief = "\(ProgressFormat.short(rate))/s"
    return FittedLine.Field(
      "\(ProgressFormat.rate(rate)) examples/s", brief.filled(to: width), "")
  }

  private static func left(
    _ seconds: ClosedRange<Double>?, width: Int = 0
  ) -> FittedLine.Field {
    let text = seconds.map { ProgressFormat.roughly($0) } ?? "?"
    return FittedLine.Field("left \(text)".filled(to: width), text)
  }
}

extension String {
  /// With blanks at its end, as many as it lacks of a width.
  fileprivate func filled(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
