import Files
import Foundation
import Runtime

/// Recommendations as text, a block of users at a time, of several blocks at once if need be.
struct RecommendationText: Sendable {
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

  /// - Parameters:
  ///   - hasTitles: whether there is a column of titles.
  ///   - hasReasons: whether there are columns of reasons.
  init(_ format: Format, hasTitles: Bool, hasReasons: Bool) {
    self.format = format
    self.hasTitles = hasTitles
    self.hasReasons = hasReasons
  }

  /// The text of some users: lines, each with its newline.
  ///
  /// - Parameter isFirst: whether no other users precede them.
  func text(_ answers: [Recommendation], isFirst: Bool) throws -> String {
    switch format {
    case .table:
      let blocks = answers.map { heading($0) + "\n" + table($0).text + "\n" }
      return (isFirst ? "" : "\n") + blocks.joined(separator: "\n")
    case .tsv:
      var text = isFirst ? header + "\n" : ""
      for answer in answers { append(answer, to: &text) }
      return text.withoutControlCharacters()
    case .jsonl:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
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

  /// Appends a line per item. Scores are not rounded, shares are: they are estimates of a reason.
  private func append(_ answer: Recommendation, to text: inout String) {
    let user = answer.shownID
    for (rank, item) in answer.items.enumerated() {
      text += user
      text += "\t\(rank + 1)\t"
      text += item.shownID
      text += "\t\(item.score)"
      if hasTitles {
        text += "\t"
        text += item.title ?? ""
      }
      if hasReasons {
        let share = item.reason.map { String(format: "%.3f", $0.share) }
        text += "\t\(item.reason?.part ?? "")\t\(share ?? "")"
      }
      text += "\n"
    }
  }
}
