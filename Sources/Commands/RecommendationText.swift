import Files
import Foundation
import Runtime

/// Recommendations as text, a block of users at a time.
struct RecommendationText {
  enum Format: String, CaseIterable {
    /// A heading and a table per user.
    case table
    /// A header, then a line per item.
    case tsv
    /// A JSON object per user and line.
    case jsonl
  }

  /// What is shown of a title in a table, so that a line fits into 80 columns.
  private static let titleWidth = 32

  private let format: Format
  private let hasTitles: Bool
  private let hasReasons: Bool
  private let encoder = JSONEncoder()
  private var isBegun = false

  /// - Parameters:
  ///   - hasTitles: whether there is a column of titles.
  ///   - hasReasons: whether there are columns of reasons.
  init(_ format: Format, hasTitles: Bool, hasReasons: Bool) {
    self.format = format
    self.hasTitles = hasTitles
    self.hasReasons = hasReasons
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// The text of the next users: lines, each with its newline.
  mutating func next(_ answers: [Recommendation]) throws -> String {
    let isFirst = !isBegun
    isBegun = true
    switch format {
    case .table:
      let blocks = answers.map { heading($0) + "\n" + table($0).text + "\n" }
      return (isFirst ? "" : "\n") + blocks.joined(separator: "\n")
    case .tsv:
      let lines = (isFirst ? [header] : []) + answers.flatMap(lines)
      return lines.map { $0 + "\n" }.joined().withoutControlCharacters()
    case .jsonl:
      return try answers.map {
        String(decoding: try encoder.encode($0), as: UTF8.self) + "\n"
      }.joined()
    }
  }

  private func heading(_ answer: Recommendation) -> String {
    let count = answer.trainingInteractions.map {
      " (\($0) training interaction\($0 == 1 ? "" : "s"))"
    }
    return "user \(answer.shownID.sanitized())\(count ?? "")"
  }

  private func table(_ answer: Recommendation) -> TextTable {
    let columns =
      ["rank", "item"] + (hasTitles ? ["title"] : []) + (hasReasons ? ["reason"] : [])
    return TextTable(
      header: columns + ["score"],
      rows: answer.items.enumerated().map { rank, item in
        var row = ["\(rank + 1)", item.shownID]
        if hasTitles { row.append((item.title ?? "").sanitized(atMost: Self.titleWidth)) }
        if hasReasons { row.append(item.reason?.text ?? "") }
        return row + [String(format: "%.4f", item.score)]
      }, leftColumns: columns.count)
  }

  private var header: String {
    (["user", "rank", "item", "score"] + (hasTitles ? ["title"] : [])
      + (hasReasons ? ["reason", "share"] : [])).joined(separator: "\t")
  }

  /// Scores are not rounded, shares are: they are estimates of a reason.
  private func lines(_ answer: Recommendation) -> [String] {
    answer.items.enumerated().map { rank, item in
      var line = "\(answer.shownID)\t\(rank + 1)\t\(item.shownID)\t\(item.score)"
      if hasTitles { line += "\t\(item.title ?? "")" }
      if hasReasons {
        let share = item.reason.map { String(format: "%.3f", $0.share) }
        line += "\t\(item.reason?.part ?? "")\t\(share ?? "")"
      }
      return line
    }
  }
}
