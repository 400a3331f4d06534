import Files
import Foundation
import Runtime

/// What a search of `mrdib tune` has tried and chosen, from its `tune.json`.
package struct TuningRecord {
  /// Settings that were tried.
  package struct Settings: Decodable {
    package let coordinates: [Coordinate]
    /// Equal for runs that differ only in their seed.
    package let digest: String
  }

  /// The seeds on which the search chose.
  package let seeds: [Int]
  package let chosen: Settings
  /// Everything that it could choose, each once.
  package let tried: [Settings]

  /// Reads the record of a finished search.
  ///
  /// - Returns: nil if the folder has none: it is a sweep's, or the search is not finished.
  /// - Throws: ``ExperimentError`` if the record cannot be read.
  package init?(in folder: SweepFolder) throws {
    let path = folder.tuningPath
    let bytes: [UInt8]
    do {
      bytes = try PlainFile.contents(of: path, atMost: 64 << 20)
    } catch {
      if error.isMissing { return nil }
      throw ExperimentError(
        .dataMalformed, "Cannot read the record of a search '\(path)': \(error.reason).")
    }
    let data = Data(bytes)
    let version = try? JSONDecoder().decode(Version.self, from: data).schema_version
    if let version, version != TuningReport.version {
      throw ExperimentError(
        .dataMalformed,
        "Cannot read the record of a search '\(path)': its schema_version is \(version), this "
          + "release reads \(TuningReport.version). Use the release that wrote it, or repeat the "
          + "search.")
    }
    guard let content = try? JSONDecoder().decode(Content.self, from: data),
      !content.search_seeds.isEmpty
    else {
      throw ExperimentError(
        .dataMalformed,
        "Cannot read the record of a search '\(path)': it is damaged. The command that made the "
          + "search writes it again.")
    }
    seeds = Set(content.search_seeds).sorted()
    chosen = content.chosen
    var known: Set<String> = []
    // Settings that continue are in several rungs.
    tried = content.rungs.flatMap(\.rows).filter { known.insert($0.digest).inserted }
  }

  private struct Version: Decodable { var schema_version: Int }

  /// The keys of `tune.json` that matter here.
  private struct Content: Decodable {
    struct Rung: Decodable { var rows: [Settings] }

    var search_seeds: [Int]
    var chosen: Settings
    var rungs: [Rung]
  }
}
