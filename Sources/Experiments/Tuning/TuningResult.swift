import Runtime

/// What a search has measured, and what it chooses.
package struct TuningResult: Sendable {
  package struct Row: Sendable, Equatable {
    package let candidate: Int
    /// The score of each seed of the rung; nil for a run that failed or has no value.
    package let scores: [Double?]

    package init(candidate: Int, scores: [Double?]) {
      self.candidate = candidate
      self.scores = scores
    }

    /// Over all seeds of the rung; nil if one has no value.
    package var mean: MeanAndDeviation? {
      let known = scores.compactMap { $0 }
      return known.count == scores.count ? MeanAndDeviation(known) : nil
    }
  }

  package struct Rung: Sendable, Equatable {
    package let epochs: Int
    package let seeds: [Int]
    /// The defaults first.
    package let rows: [Row]
    /// The challengers that continue, the best one first; none after the last rung.
    package let kept: [Int]

    package init(epochs: Int, seeds: [Int], rows: [Row], kept: [Int]) {
      self.epochs = epochs
      self.seeds = seeds
      self.rows = rows
      self.kept = kept
    }
  }

  package struct Failure: Sendable, Equatable {
    package let candidate: Int
    package let seed: Int
    package let message: String
  }

  package let space: SearchSpace
  package let seeds: [Int]
  package let budget: Double
  package let schedule: HalvingSchedule
  /// The run of the defaults to their end, with the first seed.
  package let defaults: ValidationCurve
  package let rungs: [Rung]
  package let failures: [Failure]
  /// The digest across seeds of every candidate that was tried, by which its runs are known.
  package let digests: [Int: String]
  /// By all runs together.
  package let epochsTrained: Int

  /// The cost in runs as long as that of the defaults.
  package var cost: Double { Double(epochsTrained) / Double(max(1, defaults.epochsRun)) }

  package var choice: Choice { Choice(rungs.last?.rows ?? []) }

  /// The choice among the last rung's rows: the settings with the highest mean, if they are better
  /// than the defaults by more than one standard error.
  ///
  /// The standard error is that of the mean difference to the defaults over the seeds, which both
  /// have: σ / √n with σ the sample standard deviation of the n differences. A smaller difference
  /// is a tie, and the defaults win ties.
  ///
  /// - Source: Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984,
  ///   §3.4.3 (the one standard error rule), here with paired differences.
  package struct Choice: Sendable, Equatable {
    package let candidate: Int
    /// Of the chosen settings, over the seeds of the last rung.
    package let mean: MeanAndDeviation?
    /// The best challenger and its differences to the defaults; nil without one.
    package let challenger: Int?
    package let difference: MeanAndDeviation?

    /// - Parameter rows: the defaults first.
    package init(_ rows: [Row]) {
      let best = Tuning.best(of: Array(rows.dropFirst()), count: 1).first
      challenger = best
      guard let best, let defaults = rows.first,
        let row = rows.first(where: { $0.candidate == best })
      else {
        (candidate, mean, difference) = (0, rows.first?.mean, nil)
        return
      }
      difference = MeanAndDeviation(
        zip(row.scores, defaults.scores).compactMap { pair in
          pair.0.flatMap { score in pair.1.map { score - $0 } }
        })
      let isBetter =
        difference.map { difference in
          difference.mean > (difference.standardError ?? .infinity)
        } ?? false
      candidate = isBetter ? best : 0
      mean = isBetter ? row.mean : defaults.mean
    }
  }
}

extension MeanAndDeviation {
  /// Of the mean: σ / √n; nil for a single value.
  package var standardError: Double? { deviation.map { $0 / Double(count).squareRoot() } }
}
