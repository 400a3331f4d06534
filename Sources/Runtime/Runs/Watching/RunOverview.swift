import Foundation

/// Where a run is at one moment, and how it got there: what `mrdib status` prints and what the page
/// shows. A value; its JSON form has a schema number.
///
/// Numbers that are not finite are `null` in JSON and nil here. Times are ISO 8601 in UTC,
/// durations are seconds, epochs are counted from 0.
package struct RunOverview: Sendable, Equatable, Codable {
  /// Raised when a key changes its meaning or is removed. New keys may come without a new number.
  package static let schemaVersion = 1
  /// The most events that an overview has: the newest.
  package static let eventLimit = 400

  package var schema = RunOverview.schemaVersion
  /// When the overview was made.
  package var time: String
  package var run: Description
  package var state: RunState
  /// One sentence; empty where the state says all.
  package var message: String
  /// nil where it is not known, as in a run whose process is dead.
  package var position: Position?
  /// nil before there is anything to estimate it from, and after the end.
  package var timeLeft: TimeLeft?
  /// Since the run began, over all its starts as far as epochs were finished.
  package var elapsedSeconds: Double?
  package var selection: Selection
  /// In their order. An overview that was asked for since an epoch has only those from there on.
  package var epochs: [Epoch]
  /// Raised whenever an epoch that was there before has changed: who keeps epochs asks for all.
  package var historyRevision: UInt64 = 0
  package var modalities: [Modality]
  package var pairs: [Pair]
  /// Only of the gated form of the objective.
  package var gate: Gate?
  /// Servers before workers, by rank; empty where only files are known.
  package var nodes: [Node]
  /// The oldest first.
  package var events: [Event]

  private enum CodingKeys: String, CodingKey {
    case schema, time, run, state, message, position, selection, epochs, modalities, pairs, gate
    case nodes, events
    case timeLeft = "time_left"
    case elapsedSeconds = "elapsed_seconds"
    case historyRevision = "history_revision"
  }
}

extension RunOverview {
  /// UTF-8, keys sorted, one line.
  package func encoded(isPretty: Bool = false) throws -> [UInt8] {
    try ResultJSON.encode(self, isPretty: isPretty)
  }

  /// - Throws: ``RuntimeError`` if the bytes are no overview, or one of a later schema.
  package init(decoding bytes: [UInt8], of source: String) throws {
    struct Schema: Decodable { var schema: Int }
    let decoder = JSONDecoder()
    guard let schema = try? decoder.decode(Schema.self, from: Data(bytes)).schema else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): it is not the JSON of a run. Check that the "
          + "address is that of a page of mrdib.")
    }
    guard schema <= Self.schemaVersion else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): it has schema \(schema), and this program "
          + "reads up to \(Self.schemaVersion). Use the program that trains the run.")
    }
    do {
      self = try decoder.decode(Self.self, from: Data(bytes))
    } catch {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot read the status of \(source): keys of a run's JSON are missing or have "
          + "other types. Use the program that trains the run.")
    }
  }
}
