import Datasets
import Files

/// Damaged rows: the first ones with their lines and reasons, and how many there are.
struct DamageLog {
  /// How many are listed.
  static let shownCount = 20
  /// So many damaged rows that are the majority have a cause that is not in the rows.
  private static let fewestForAdvice = 10

  private(set) var count = 0
  /// `file:line: reason`
  private(set) var shown: [String] = []
  private var first: RowProblem?
  /// Whether all rows are damaged in the same way.
  private var isUniform = true

  mutating func add(path: String, line: Int, _ problem: RowProblem) {
    count += 1
    if let first { isUniform = isUniform && first.isLike(problem) } else { first = problem }
    guard shown.count < Self.shownCount else { return }
    let place = (path.split(separator: "/").last ?? "")[...].sanitized()
    shown.append("\(place):\(line): \(problem.words)")
  }

  /// The list, one line each, with the number of those that are left out. If all rows are damaged
  /// in the same way, a few of them show it.
  ///
  /// - Parameter rowCount: how many rows there are, damaged or not.
  func lines(rowCount: Int) -> [String] {
    if count > Self.shownCount, count == rowCount, isUniform, let first {
      return shown.prefix(3) + ["all \(count) lines are damaged in the same way\(first.question)"]
    }
    guard count > shown.count else { return shown }
    return shown + ["… and \(count - shown.count) more damaged lines"]
  }

  /// The end of an import that may not leave out rows.
  func error(path: String, rowCount: Int) -> DatasetError {
    if count * 2 > rowCount, count >= Self.fewestForAdvice, let first {
      return DatasetError(
        .malformed, path: path,
        "has \(count) damaged lines (of \(rowCount)), so nothing was imported: "
          + first.adviceForMany)
    }
    let them = count == 1 ? "it" : "them"
    return DatasetError(
      .malformed, path: path,
      "has \(count) damaged \(count == 1 ? "line" : "lines") (of \(rowCount)), so nothing was "
        + "imported: repair \(them), or leave \(them) out with --skip-damaged"
        + (first?.otherColumn.map { "; or \($0)" } ?? ""))
  }
}
