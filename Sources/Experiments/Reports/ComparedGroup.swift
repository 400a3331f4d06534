import Configuration
import Runtime
import Settings

/// A run to compare.
package struct ComparedRun: Sendable, Equatable {
  package let path: String
  package let seed: Int
  package let result: RunResult
  /// Nil for a run that was named by itself.
  package let origin: SweepOrigin?

  /// The sweep or ablation that a run is a part of.
  package struct SweepOrigin: Sendable, Equatable {
    /// Of the sweep's folder.
    package let path: String
    /// The settings that the sweep varies, or the name of its variants.
    package let coordinates: [String]

    package init(path: String, coordinates: [String]) {
      self.path = path
      self.coordinates = coordinates
    }
  }

  package init(path: String, seed: Int, result: RunResult, origin: SweepOrigin? = nil) {
    self.path = path
    self.seed = seed
    self.result = result
    self.origin = origin
  }

  /// The run's settings, from its directory.
  ///
  /// - Throws: `ConfigurationError` when they cannot be read.
  func configuration() throws -> RunConfiguration { try Self.configuration(ofRun: path) }

  /// The settings of a run, finished or not, from its directory.
  ///
  /// - Throws: `ConfigurationError` when they cannot be read.
  package static func configuration(ofRun path: String) throws -> RunConfiguration {
    try RunRequest(
      data: nil, configurationFiles: [RunDirectory(existing: path).configurationPath]
    ).resolve()
  }
}

/// The runs of one configuration with different seeds.
package struct ComparedGroup: Sendable, Equatable {
  package var label: String
  /// One run per seed.
  package var runs: [ComparedRun]
  /// The seeds of the runs on which a search chose the settings, see ``SettingsSearch``.
  package var searchSeeds: [Int] = []

  package init(label: String, runs: [ComparedRun]) {
    self.label = label
    self.runs = runs
  }

  /// The finished runs of a sweep's points.
  ///
  /// - Parameter label: of a point, from its coordinates without the seed.
  package static func groups(
    _ runs: [SweepRun], in folder: SweepFolder, label: ([Coordinate]) -> String
  ) -> [ComparedGroup] {
    SeedGroup.grouping(runs).map { group in
      ComparedGroup(
        label: label(group.coordinates),
        runs: group.runs.compactMap { ComparedRun($0, in: folder) })
    }
  }

  /// The configurations in some folders, each of a run or of a sweep, in the order in which they
  /// appear. Labels name the model and the settings in which the configurations differ.
  ///
  /// - Parameter chosenOnly: whether only the settings that validation chooses are taken of a
  ///   sweep.
  /// - Throws: errors with a sentence when a folder holds neither, or no finished run.
  package static func groups(in paths: [String], chosenOnly: Bool) throws -> [ComparedGroup] {
    var groups: [(configuration: RunConfiguration, runs: [ComparedRun])] = []
    var positions: [String: Int] = [:]
    for run in try paths.flatMap({ try runs(in: $0, chosenOnly: chosenOnly) }) {
      let configuration = try run.configuration()
      if let position = positions[configuration.digestAcrossSeeds] {
        if !groups[position].runs.contains(where: { $0.seed == run.seed }) {
          groups[position].runs.append(run)
        }
      } else {
        positions[configuration.digestAcrossSeeds] = groups.count
        groups.append((configuration, [run]))
      }
    }
    let labels = ConfigurationLabels.make(groups.map(\.configuration))
    return zip(labels, groups).map { label, group in
      // Rows that differ in nothing that is shown, such as their data, differ by folder.
      let isUnique = labels.count { $0 == label } == 1
      let folder = group.runs.first.map { " (\($0.path))" } ?? ""
      return ComparedGroup(label: isUnique ? label : label + folder, runs: group.runs)
    }
  }

  private static func runs(in path: String, chosenOnly: Bool) throws -> [ComparedRun] {
    guard ForeignFolder.isSweep(path) else {
      let result = try RunResult(run: path)
      let seed = try ComparedRun.configuration(ofRun: path).training.seed
      return [ComparedRun(path: path, seed: seed, result: result)]
    }
    let folder = SweepFolder(existing: path)
    let store = try SweepStore(path: folder.storePath)
    let all = try store.runs()
    try store.close()
    let record = chosenOnly ? try TuningRecord(in: folder) : nil
    let chosen =
      if let record {
        all.filter { $0.repetitionDigest == record.chosen.digest }
      } else {
        chosenOnly ? SeedGroup.groupingRepetitions(all).bestByValidation?.runs ?? [] : all
      }
    let finished = chosen.compactMap { ComparedRun($0, in: folder) }
    guard !finished.isEmpty else {
      if record != nil {
        throw ExperimentError(
          .inputMissing,
          "Cannot compare what the search '\(path)' chose: it trained these settings only as long "
            + "as it needed to choose. Train '\(path)/chosen.yaml' with other seeds and compare "
            + "those runs.")
      }
      throw ExperimentError(
        .inputMissing,
        "Cannot compare the sweep '\(path)': "
          + (chosenOnly ? "no settings finished with all their seeds" : "none of its runs finished")
          + ". Resume the sweep first.")
    }
    return finished
  }
}

extension ComparedRun {
  /// nil unless the run finished with a result.
  init?(_ run: SweepRun, in folder: SweepFolder) {
    guard run.state == .finished, let result = run.result else { return nil }
    self.init(
      path: folder.absolute(run.folder), seed: run.seed, result: result,
      origin: SweepOrigin(path: folder.path, coordinates: run.coordinates.map(\.name)))
  }
}

/// Labels of configurations in one table.
enum ConfigurationLabels {
  /// Settings in which runs may differ without being different experiments.
  private static let ignored: Set<String> = ["seed", "data_digest", "model"]

  /// The model of each configuration, then the decisive settings whose values differ among the
  /// configurations in which they have an effect.
  static func make(_ configurations: [RunConfiguration]) -> [String] {
    let settings = configurations.map { configuration in
      configuration.decisiveSettings.filter { !ignored.contains($0.name) }
    }
    var values: [String: Set<String>] = [:]
    for (name, value) in settings.joined() { values[name, default: []].insert(value) }
    return zip(configurations, settings).map { configuration, settings in
      ([configuration.model.model]
        + settings.filter { values[$0.name]?.count ?? 0 > 1 }.map { "\($0.name)=\($0.value)" })
        .joined(separator: " ")
    }
  }
}
