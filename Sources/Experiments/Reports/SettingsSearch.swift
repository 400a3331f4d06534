import Configuration
import Files
import Runtime
import Settings

/// A search among settings by validation, from the record of a sweep or of `mrdib tune`.
///
/// The best of many settings owes a part of its result to the seeds on which it was the best, so a
/// comparison does not report it with these seeds. Settings that a table shows next to everything
/// they were tried against are not chosen, but compared.
package struct SettingsSearch: Sendable, Equatable {
  /// A setting with the number of values that were tried.
  package struct Axis: Sendable, Equatable {
    package let name: String
    package let valueCount: Int
  }

  /// The sweep's folder.
  package let path: String
  /// The seeds on which it chose.
  package let seeds: [Int]
  package let axes: [Axis]
  /// The digests across seeds of everything that it could choose.
  private let candidates: Set<String>
  /// The digest across seeds of the settings that it chose.
  private let chosen: String
  /// Whether all that it tried is trained to its end, so that it can be compared as a whole.
  fileprivate let isComplete: Bool

  /// Coordinates that name what is compared: a sweep over objectives is no search.
  private static let comparedCoordinates: Set<String> = [
    "model", "objective", "mrdib_form", Ablation.coordinate,
  ]

  /// The searches in the folders of sweeps, or in the sweeps whose runs are named.
  ///
  /// - Parameter isChosenOnly: whether of each sweep only the settings that validation chooses are
  ///   taken. Then the whole sweep is one search. Else there is one per model and objective.
  /// - Throws: errors with a sentence when a record cannot be read.
  package static func all(of paths: [String], isChosenOnly: Bool) throws -> [SettingsSearch] {
    let sweeps = paths.compactMap { path in
      let folder = FilePath.absolute(path)
      // A run of a sweep is in `SWEEP/runs/DIGEST`.
      let parent = FilePath.parent(of: FilePath.parent(of: folder))
      return [folder, parent].first(where: ForeignFolder.isSweep)
    }
    return try sweeps.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      .flatMap { try searches(in: SweepFolder(existing: $0), isChosenOnly: isChosenOnly) }
  }

  private static func searches(
    in folder: SweepFolder, isChosenOnly: Bool
  ) throws -> [SettingsSearch] {
    let store = try SweepStore(path: folder.storePath)
    let groups = SeedGroup.groupingRepetitions(try store.runs())
    try store.close()
    if let record = try TuningRecord(in: folder) {
      return [SettingsSearch(record, runs: groups, in: folder)]
    }
    let kinds = isChosenOnly ? [[]: groups] : byKind(groups)
    return kinds.values.compactMap { SettingsSearch(among: $0, in: folder) }
      .sorted { $0.chosen < $1.chosen }
  }

  /// The groups of one model and objective each.
  private static func byKind(_ groups: [SeedGroup]) -> [[Coordinate]: [SeedGroup]] {
    Dictionary(grouping: groups) { group in
      group.coordinates.filter { comparedCoordinates.contains($0.name) }
    }
  }

  /// Whether the groups of a sweep are a search: several of them are of one model and objective.
  static func isSearch(_ groups: [SeedGroup]) -> Bool {
    byKind(groups).values.contains { $0.count > 1 }
  }

  /// Nil if there was nothing to choose from, or nothing could be chosen.
  private init?(among groups: [SeedGroup], in folder: SweepFolder) {
    let complete = groups.filter(\.isComplete)
    guard complete.count > 1, let best = complete.bestByValidation else { return nil }
    path = folder.path
    seeds = Set(complete.flatMap { $0.runs.map(\.seed) }).sorted()
    candidates = Set(complete.map { Self.digest(of: $0, in: folder) })
    chosen = Self.digest(of: best, in: folder)
    axes = Self.axes(complete.map(\.coordinates))
    isComplete = true
  }

  /// - Parameter groups: the runs of the search, by settings.
  private init(_ record: TuningRecord, runs groups: [SeedGroup], in folder: SweepFolder) {
    let digests = Dictionary(
      groups.map { ($0.runs[0].repetitionDigest, Self.digest(of: $0, in: folder)) },
      uniquingKeysWith: { first, _ in first })
    path = folder.path
    seeds = record.seeds
    candidates = Set(record.tried.map { digests[$0.digest] ?? $0.digest })
    chosen = digests[record.chosen.digest] ?? record.chosen.digest
    axes = Self.axes(record.tried.map(\.coordinates))
    isComplete = false
  }

  /// The settings that have several values among those that were tried.
  private static func axes(_ tried: [[Coordinate]]) -> [Axis] {
    tried.names.compactMap { name in
      let values = Set(tried.compactMap { $0.value(of: name) })
      return values.count > 1 ? Axis(name: name, valueCount: values.count) : nil
    }
  }

  /// As this release computes it, if the settings of a run are still there.
  private static func digest(of group: SeedGroup, in folder: SweepFolder) -> String {
    let configuration = group.runs.lazy.compactMap {
      try? ComparedRun.configuration(ofRun: folder.absolute($0.folder))
    }.first
    return configuration?.digestAcrossSeeds ?? group.runs[0].repetitionDigest
  }

  /// Whether it chose some settings of a table, and not all that it tried are in the table.
  fileprivate func chose(_ digest: String, amongShown shown: Set<String>) -> Bool {
    digest == chosen && !candidates.isSubset(of: shown)
  }

  /// `the best of 12 settings (alpha1: 4 values, reg_weight: 3)`.
  package var text: String {
    let list = axes.enumerated().map { position, axis in
      "\(axis.name): \(axis.valueCount)\(position == 0 ? " values" : "")"
    }
    return "the best of \(candidates.count) settings"
      + (list.isEmpty ? "" : " (\(list.joined(separator: ", ")))")
  }
}

extension [SettingsSearch] {
  /// The seeds on which one of the searches chose some settings, ascending; none if none did.
  package func seeds(thatChose configuration: RunConfiguration) -> [Int] {
    let searches = filter { $0.chose(configuration.digestAcrossSeeds, amongShown: []) }
    return Set(searches.flatMap(\.seeds)).sorted()
  }

  /// The seeds of points on which one of the searches chose the point's settings, ascending.
  ///
  /// - Parameter request: the data, and the settings below the points'.
  /// - Throws: errors with a sentence when settings or data are wrong.
  package func seeds(thatChose points: [SweepPoint], request: RunRequest) throws -> [Int] {
    guard !isEmpty else { return [] }
    var inputs: [RunInput] = []
    let used = try points.compactMap { point in
      let input = try request.input(point.layers, reusing: inputs)
      if !inputs.contains(where: { $0.dataset === input.dataset }) { inputs.append(input) }
      let seed = input.configuration.training.seed
      return seeds(thatChose: input.configuration).contains(seed) ? seed : nil
    }
    return Set(used).sorted()
  }

  /// Leaves out the runs of the seeds on which searches chose, or marks their configurations.
  ///
  /// - Parameter includesSearchSeeds: whether the runs stay.
  /// - Returns: the configurations, and sentences on what was left out and what was searched.
  /// - Throws: ``ExperimentError`` if nothing is left of a configuration.
  package func apply(
    to groups: [ComparedGroup], includesSearchSeeds: Bool
  ) throws -> (groups: [ComparedGroup], warnings: [String]) {
    let digests = try groups.map { try $0.runs.first?.configuration().digestAcrossSeeds ?? "" }
    var warnings: [String] = []
    var searches: [SettingsSearch?] = []
    let result = try zip(groups, digests).map { group, digest in
      let search = first { $0.chose(digest, amongShown: Set(digests)) }
      searches.append(search)
      guard let search else { return group }
      let seeds = group.runs.map(\.seed).filter(search.seeds.contains)
      guard !seeds.isEmpty else { return group }
      var changed = group
      if includesSearchSeeds {
        changed.searchSeeds = seeds
        return changed
      }
      changed.runs.removeAll { seeds.contains($0.seed) }
      let list = seeds.map { "\($0)" }.joined(separator: ", ")
      let whole = search.isComplete ? ", name the whole sweep without --chosen" : ""
      guard !changed.runs.isEmpty else {
        throw ExperimentError(
          .usage,
          "Cannot report '\(group.label)': '\(search.path)' chose its settings by validation on "
            + "the seeds that it has here (\(list)). Train these settings with other seeds and "
            + "compare those runs\(whole), or add --include-search-seeds, which marks the row.")
      }
      warnings.append(
        "left out of '\(group.label)': the seeds \(list), on which '\(search.path)' chose its "
          + "settings (--include-search-seeds keeps and marks them)")
      return changed
    }
    let texts = searches.map { $0?.text ?? "was not searched" }
    if Set(texts).count > 1 {
      warnings.append(
        "not all settings were searched alike: "
          + zip(groups, searches).map { group, search in
            "'\(group.label)' \(search.map { "is \($0.text)" } ?? "was not searched")"
          }.joined(separator: ", "))
    }
    return (result, warnings)
  }
}
