import Configuration
import Runtime
import Settings

/// Searches settings by mean validation over several seeds, within the cost of a few runs: trains
/// what a ``HalvingSchedule`` asks for and chooses.
///
/// It keeps no state of its own: the runs' records decide what is left to train and what is chosen,
/// so that a search that was stopped or killed resumes by being asked for again.
package struct Tuning: Sendable {
  package let space: SearchSpace
  /// The first one is that of the rungs with one seed.
  package let seeds: [Int]
  /// In runs as long as that of the defaults.
  package let budget: Double

  /// - Throws: ``ExperimentError`` if there is nothing to choose from.
  /// - Precondition: at least two seeds, distinct; a budget above 1.
  package init(space: SearchSpace, seeds: [Int], budget: Double) throws {
    precondition(seeds.count > 1 && Set(seeds).count == seeds.count && budget > 1)
    guard space.candidates.count > 1 else {
      throw ExperimentError(
        .usage,
        "Cannot search: there are no settings but the defaults, since none of the space has an "
          + "effect here. Name settings and values with --space FILE.")
    }
    self.space = space
    self.seeds = seeds
    self.budget = budget
  }

  /// What the search needs of the world.
  package struct Environment {
    /// Trains points up to some epoch, or to their end for nil, and returns a run for each.
    package var train: (_ points: [SweepPoint], _ pause: Int?) throws -> [SweepRun]
    /// The evaluations of a run.
    package var curve: (SweepRun) throws -> ValidationCurve
    /// Receives progress lines.
    package var report: (String) -> Void

    package init(
      train: @escaping (_ points: [SweepPoint], _ pause: Int?) throws -> [SweepRun],
      curve: @escaping (SweepRun) throws -> ValidationCurve,
      report: @escaping (String) -> Void
    ) {
      self.train = train
      self.curve = curve
      self.report = report
    }
  }

  /// Trains and chooses.
  ///
  /// - Returns: the result; nil if a signal stopped it.
  /// - Throws: ``ExperimentError`` if the run of the defaults fails or the budget is too small; and
  ///   what the environment throws.
  package func run(in environment: Environment) throws -> TuningResult? {
    environment.report("the defaults, seed \(seeds[0]), to their end: the unit of the budget")
    guard let reference = try train([0], seeds: [seeds[0]], pause: nil, in: environment),
      let defaults = reference.curves[Place(candidate: 0, seed: seeds[0])]
    else { return nil }
    let schedule = try HalvingSchedule(
      challengers: space.candidates.count - 1, seeds: seeds.count, defaults: defaults,
      budget: budget, interval: space.defaults.selection.evaluationInterval)
    let pace = reference.seconds / Double(max(1, defaults.epochsRun))
    environment.report(
      "all rungs: at most \(ProgressFormat.count(schedule.cost, "epoch")), about "
        + "\(ProgressFormat.duration(pace * Double(schedule.cost))) at the defaults' pace")
    var results = reference
    var rungs: [TuningResult.Rung] = []
    var left = HalvingSchedule.spread(
      schedule.rungs[0].challengers, of: space.candidates.count - 1
    ).map { $0 + 1 }
    for (number, rung) in schedule.rungs.enumerated() {
      let seeds = Array(self.seeds.prefix(rung.seeds))
      environment.report(
        "rung \(number + 1) of \(schedule.rungs.count): "
          + ProgressFormat.count(left.count, "challenger")
          + " up to \(ProgressFormat.count(rung.epochs, "epoch")), seeds "
          + seeds.map(String.init).joined(separator: ", "))
      guard
        let trained = try train(left, seeds: seeds, pause: rung.epochs, in: environment),
        let repeated = try train(
          [0], seeds: Array(seeds.dropFirst()), pause: rung.epochs, in: environment)
      else { return nil }
      results.merge(trained)
      results.merge(repeated)
      let next = number + 1 < schedule.rungs.count ? schedule.rungs[number + 1].challengers : nil
      let rows = ([0] + left).map { candidate in
        TuningResult.Row(
          candidate: candidate,
          scores: seeds.map {
            results.curves[Place(candidate: candidate, seed: $0)]?.score(within: rung.epochs)
          })
      }
      left = Self.best(of: Array(rows.dropFirst()), count: next ?? rows.count)
      rungs.append(
        TuningResult.Rung(
          epochs: rung.epochs, seeds: seeds, rows: rows, kept: next == nil ? [] : left))
      // All challengers have failed.
      if left.isEmpty { break }
    }
    return TuningResult(
      space: space, seeds: seeds, budget: budget, schedule: schedule, defaults: defaults,
      rungs: rungs, failures: results.failures, digests: results.digests,
      epochsTrained: results.curves.values.reduce(0) { $0 + $1.epochsRun })
  }

  /// The candidates with the highest means, the best one first; equal ones in the order of the
  /// space. Those with a seed that has no value are left out.
  static func best(of rows: [TuningResult.Row], count: Int) -> [Int] {
    let means = rows.compactMap { row in row.mean.map { (row.candidate, $0.mean) } }
    return means.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(count).map(\.0)
  }

  // MARK: Training

  /// A candidate with a seed.
  private struct Place: Hashable {
    let candidate: Int
    let seed: Int
  }

  private struct Trained {
    var curves: [Place: ValidationCurve] = [:]
    /// How long the epochs took, in seconds.
    var seconds = 0.0
    /// The digest across seeds of each candidate.
    var digests: [Int: String] = [:]
    var failures: [TuningResult.Failure] = []

    mutating func merge(_ other: Trained) {
      curves.merge(other.curves) { $1 }
      digests.merge(other.digests) { $1 }
      failures += other.failures.filter { !failures.contains($0) }
    }
  }

  /// - Returns: nil if a run was not trained because of a signal.
  private func train(
    _ candidates: [Int], seeds: [Int], pause: Int?, in environment: Environment
  ) throws -> Trained? {
    let places = candidates.flatMap { candidate in
      seeds.map { Place(candidate: candidate, seed: $0) }
    }
    guard !places.isEmpty else { return Trained() }
    let points = try candidates.flatMap { try space.points($0, seeds: seeds) }
    let runs = try environment.train(points, pause)
    var trained = Trained()
    for (place, run) in zip(places, runs) {
      trained.digests[place.candidate] = run.repetitionDigest
      switch run.state {
      case .finished, .paused:
        trained.curves[place] = try environment.curve(run)
        trained.seconds += ["train", "evaluate"].reduce(0) { $0 + (run.result?.seconds[$1] ?? 0) }
      case .failed:
        guard place.candidate > 0 else {
          throw ExperimentError(
            .failure,
            "Cannot search: the run of the defaults with seed \(place.seed) failed: \(run.message)")
        }
        trained.failures.append(
          .init(candidate: place.candidate, seed: place.seed, message: run.message))
      case .waiting, .running, .interrupted: return nil
      }
    }
    return trained
  }
}
