import Coordinator
import Foundation

/// Several runs next to each other: what the page of a folder begins with. Its JSON form has a
/// schema number.
package struct PageListing: Sendable, Equatable, Encodable {
  package static let schemaVersion = 1

  package struct Entry: Sendable, Equatable, Encodable {
    /// Asks for the run's overview: its folder relative to the listed one; empty for the only run.
    package var key: String
    package var run: RunOverview.Description
    package var state: RunState
    package var message: String
    package var epochsFinished: UInt32
    package var selection: RunOverview.Selection
    /// Of the best epoch.
    package var valid: [String: Double?]
    package var test: [String: Double?]
    package var elapsedSeconds: Double?
    package var timeLeft: RunOverview.TimeLeft?
    /// The settings in which the listed runs differ.
    package var settings: [String: String]
    /// The selection metric by epoch, thinned.
    package var curve: [Point]

    private enum CodingKeys: String, CodingKey {
      case key, run, state, message, selection, valid, test, settings, curve
      case epochsFinished = "epochs_finished"
      case elapsedSeconds = "elapsed_seconds"
      case timeLeft = "time_left"
    }
  }

  package struct Point: Sendable, Equatable, Encodable {
    package var epoch: UInt32
    package var at: Double
    package var value: Double
  }

  /// A run that could not be read.
  package struct Problem: Sendable, Equatable, Encodable {
    package var key: String
    package var message: String
  }

  package var schema = PageListing.schemaVersion
  package var time: String
  /// The last part of the folder's path, or the run's name.
  package var title: String
  /// Whether a coordinator serves it: then there is one run, and it has nodes.
  package var isLive: Bool
  package var runs: [Entry]
  package var problems: [Problem]
  /// How many runs were left out because there are too many.
  package var leftOut: Int

  private enum CodingKeys: String, CodingKey {
    case schema, time, title, runs, problems
    case isLive = "live"
    case leftOut = "left_out"
  }

  package init(
    time: String = Date().ISO8601Format(), title: String, isLive: Bool, runs: [Entry],
    problems: [Problem] = [], leftOut: Int = 0
  ) {
    self.time = time
    self.title = title
    self.isLive = isLive
    self.runs = runs
    self.problems = problems
    self.leftOut = leftOut
  }

  package func encoded() throws -> [UInt8] { try ResultJSON.encode(self, isPretty: false) }
}

extension PageListing.Entry {
  /// The most points of a curve.
  private static let pointLimit = 300

  /// - Parameter key: of the run in the listing.
  package init(_ overview: RunOverview, key: String, settings: [String: String] = [:]) {
    self.key = key
    run = overview.run
    state = overview.state
    message = overview.message
    epochsFinished = overview.position?.epochsFinished ?? UInt32(overview.epochs.count)
    selection = overview.selection
    let best = overview.epochs.first { $0.epoch == overview.selection.bestEpoch }
    valid = best?.valid ?? [:]
    test = best?.test ?? [:]
    elapsedSeconds = overview.elapsedSeconds
    timeLeft = overview.timeLeft
    self.settings = settings
    let metric =
      overview.selection.metric.split(separator: ".", maxSplits: 1).last
      .map(String.init) ?? ""
    let points = overview.epochs.compactMap { epoch -> PageListing.Point? in
      guard let value = epoch.valid[metric] ?? nil else { return nil }
      return PageListing.Point(epoch: epoch.epoch, at: epoch.at, value: value)
    }
    let step = max(1, (points.count + Self.pointLimit - 1) / Self.pointLimit)
    curve = points.enumerated().filter { index, point in
      index % step == 0 || index == points.count - 1 || point.epoch == overview.selection.bestEpoch
    }.map(\.element)
  }
}
