import Configuration
import Foundation
import Runtime
import Settings

/// The result of a search for users and programs: `tune.json`, a table, or CSV.
package struct TuningReport: Sendable, Encodable {
  /// Of `tune.json`; see ``TuningRecord``.
  static let version = 1

  package let schemaVersion = Self.version
  package let model: String
  package let objective: String
  /// The metric on validation by which settings are chosen: `recall@20`.
  package let selectionMetric: String
  /// The seeds on which the search chose. A report of the chosen settings must use others.
  package let searchSeeds: [Int]
  /// In runs as long as that of the defaults.
  package let budget: Double
  package let cost: Double
  package let epochsOfDefaults: Int
  /// The highest value of the defaults' run that was trained to its end.
  package let bestOfDefaults: Double?
  package let epochsNeeded: Int
  package let settingsTried: Int
  package let settingsInSpace: Int
  package let rungs: [Rung]
  package let chosen: Chosen
  package let failures: [Failure]

  package struct Row: Sendable, Encodable {
    package let label: String
    package let coordinates: [Coordinate]
    /// Shared by all runs of these settings on this data, whatever their seed.
    package let digest: String?
    package let scores: [Double?]
    package let mean: Double?
    package let deviation: Double?
    package let isKept: Bool

    enum CodingKeys: String, CodingKey {
      case label, coordinates, digest, scores, mean, deviation
      case isKept = "is_kept"
    }
  }

  package struct Rung: Sendable, Encodable {
    package let epochs: Int
    package let seeds: [Int]
    package let rows: [Row]
  }

  package struct Chosen: Sendable, Encodable {
    package let label: String
    package let coordinates: [Coordinate]
    package let digest: String?
    package let mean: Double?
    package let deviation: Double?
    /// Whether the defaults are chosen.
    package let isDefault: Bool
    /// The best other settings, and how much better they are than the defaults.
    package let challenger: String?
    package let difference: Double?
    package let standardError: Double?

    enum CodingKeys: String, CodingKey {
      case label, coordinates, digest, mean, deviation, challenger, difference
      case isDefault = "is_default"
      case standardError = "standard_error"
    }
  }

  package struct Failure: Sendable, Encodable {
    package let label: String
    package let seed: Int
    package let message: String
  }

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case selectionMetric = "selection_metric"
    case searchSeeds = "search_seeds"
    case epochsOfDefaults = "epochs_of_defaults"
    case bestOfDefaults = "best_of_defaults"
    case epochsNeeded = "epochs_needed"
    case settingsTried = "settings_tried"
    case settingsInSpace = "settings_in_space"
    case model, objective, budget, cost, rungs, chosen, failures
  }

  private let isTooShort: Bool

  package init(_ result: TuningResult) {
    let space = result.space
    let choice = result.choice
    model = space.defaults.model.model
    objective = space.defaults.model.objective.rawValue
    selectionMetric = space.defaults.selection.metric.yaml
    searchSeeds = result.seeds
    budget = result.budget
    cost = result.cost
    epochsOfDefaults = result.defaults.epochsRun
    bestOfDefaults = result.defaults.points.map(\.value).max()
    epochsNeeded = result.schedule.epochsNeeded
    isTooShort = result.schedule.isTooShort
    settingsTried = (result.rungs.first?.rows.count ?? 1)
    settingsInSpace = space.candidates.count
    rungs = result.rungs.map { rung in
      Rung(
        epochs: rung.epochs, seeds: rung.seeds,
        rows: rung.rows.map { row in
          Row(
            label: space.label(row.candidate),
            coordinates: space.candidates[row.candidate].coordinates,
            digest: result.digests[row.candidate], scores: row.scores,
            mean: row.mean?.mean, deviation: row.mean?.deviation,
            isKept: row.candidate == 0 || rung.kept.contains(row.candidate))
        })
    }
    chosen = Chosen(
      label: space.label(choice.candidate),
      coordinates: space.candidates[choice.candidate].coordinates,
      digest: result.digests[choice.candidate], mean: choice.mean?.mean,
      deviation: choice.mean?.deviation, isDefault: choice.candidate == 0,
      challenger: choice.challenger.map(space.label), difference: choice.difference?.mean,
      standardError: choice.difference?.standardError)
    failures = result.failures.map {
      Failure(label: space.label($0.candidate), seed: $0.seed, message: $0.message)
    }
  }
}

extension TuningReport {
  /// The report as lines for a terminal: the trail of rungs, then the choice.
  package var lines: [String] {
    var rows: [[String]] = []
    for (number, rung) in rungs.enumerated() {
      // The best one first; the defaults where they would be.
      let order = rung.rows.sorted { $0.mean ?? -.infinity > $1.mean ?? -.infinity }
      for row in order {
        let mean = row.mean.map { String(format: "%.4f", $0) } ?? "failed"
        rows.append([
          "\(number + 1)", row.label, "\(rung.epochs)", "\(rung.seeds.count)",
          mean + (row.deviation.map { String(format: " ± %.4f", $0) } ?? ""),
          number + 1 < rungs.count && row.isKept && row.label != "defaults" ? "continues" : "",
        ])
      }
    }
    let table = TextTable(
      header: ["rung", "settings", "epochs", "seeds", "valid \(selectionMetric)", ""], rows: rows,
      leftColumns: 2)
    return table.lines + [""] + verdict
      + failures.map { "failed: \($0.label) seed=\($0.seed): \($0.message)" }
  }

  private var verdict: [String] {
    let mean = chosen.mean.map { String(format: "%.4f", $0) } ?? "–"
    let spread = chosen.deviation.map { String(format: " ± %.4f", $0) } ?? ""
    let last = rungs.last
    var lines = [
      "chosen: \(chosen.label)  valid \(selectionMetric) \(mean)\(spread) after "
        + "\(ProgressFormat.count(last?.epochs ?? 0, "epoch")), mean over seeds "
        + searchSeeds.map(String.init).joined(separator: ", ")
    ]
    if let challenger = chosen.challenger, let difference = chosen.difference {
      let numbers = String(
        format: "%+.4f, standard error %.4f", difference, chosen.standardError ?? 0)
      let outcome =
        chosen.isDefault
        ? "not better by more than one, so the defaults stay" : "better by more than one"
      lines.append("\(challenger) against the defaults: \(numbers): \(outcome)")
    }
    if settingsTried < settingsInSpace {
      lines.append(
        "tried \(settingsTried) of \(settingsInSpace) settings: the budget of \(budget) runs does "
          + "not suffice for all; give a larger --budget")
    }
    if isTooShort {
      lines.append(
        "the first rung had \(rungs.first?.epochs ?? 0) epochs, but the defaults need "
          + "\(epochsNeeded) before settings can be compared; give a larger --budget")
    }
    let best = bestOfDefaults.map { String(format: ", best valid \(selectionMetric) %.4f", $0) }
    lines.append(
      String(format: "cost: %.2f runs of the defaults ", cost)
        + "(\(ProgressFormat.count(epochsOfDefaults, "epoch"))\(best ?? ""))")
    return lines
  }

  /// One line per settings of a rung, unrounded.
  package var csv: String {
    let names = rungs.flatMap(\.rows).map(\.coordinates).names
    let header =
      ["rung", "epochs"] + names + ["seeds", "valid.\(selectionMetric).mean"]
      + ["valid.\(selectionMetric).std", "kept"]
    var rows: [[String]] = []
    for (number, rung) in rungs.enumerated() {
      for row in rung.rows {
        let values = names.map { row.coordinates.value(of: $0) ?? "" }
        let result = [CSV.number(row.mean), CSV.number(row.deviation), "\(row.isKept)"]
        rows.append(
          ["\(number + 1)", "\(rung.epochs)"] + values + ["\(rung.seeds.count)"] + result)
      }
    }
    return CSV.text([header] + rows)
  }
}
