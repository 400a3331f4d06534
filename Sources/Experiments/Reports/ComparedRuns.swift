import Runtime

/// The configurations in some folders of runs and sweeps, as `mrdib compare` takes them: without
/// seeds on which a search chose their settings, and with what else they differ in.
package struct ComparedRuns: Sendable {
  /// The baseline first.
  package let groups: [ComparedGroup]
  /// What a reader must know, as sentences, see ``ComparedSettings`` and ``SettingsSearch``.
  package let warnings: [String]
  /// The searches that may have chosen settings of these runs.
  package let searches: [SettingsSearch]

  /// - Parameters:
  ///   - paths: directories of runs or of sweeps.
  ///   - baseline: the one whose first configuration is the baseline; nil: the first.
  ///   - chosenOnly: whether only the settings that validation chooses are taken of a sweep.
  ///   - searches: searches elsewhere that may have chosen settings of these runs.
  ///   - includesSearchSeeds: whether runs of the seeds of a search stay, marked.
  /// - Throws: errors with a sentence when a folder holds no finished run, its records cannot be
  ///   read, or nothing is left of a configuration.
  package init(
    in paths: [String], baseline: String?, chosenOnly: Bool, searches: [SettingsSearch],
    includesSearchSeeds: Bool
  ) throws {
    let ordered = (baseline.map { [$0] } ?? []) + paths.filter { $0 != baseline }
    let named = try ComparedGroup.groups(in: ordered, chosenOnly: chosenOnly)
    self.searches = try SettingsSearch.all(of: ordered, isChosenOnly: chosenOnly) + searches
    let (compared, searched) = try self.searches.apply(
      to: named, includesSearchSeeds: includesSearchSeeds)
    groups = compared
    warnings = try ComparedSettings(compared).warnings + searched
  }

  /// Compares the configurations.
  ///
  /// - Parameters:
  ///   - byGroup: whether differences within groups of users and items are computed, too.
  ///   - dataFolder: where the data lies, if it has moved.
  ///   - progress: called before each run is read; throws to stop.
  /// - Throws: as ``ComparisonReport``; what `progress` throws.
  package func report(
    metrics: [String], split: Split, byGroup: Bool, dataFolder: String?,
    progress: () throws -> Void = {}
  ) throws -> ComparisonReport {
    try withoutActuallyEscaping(progress) { progress in
      try ComparisonReport(
        groups, metrics: metrics, split: split, warnings: warnings,
        users: {
          try progress()
          return try PerUserMetrics.load(run: $0.path, dataFolder: dataFolder)
        },
        usersByGroup: byGroup
          ? {
            try progress()
            return try MetricsByGroup.compute(run: $0.path, split: split, dataFolder: dataFolder)
          } : nil)
    }
  }
}
