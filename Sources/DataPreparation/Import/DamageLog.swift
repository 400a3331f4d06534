import Datasets
import Files

/// Damaged rows: the first ones with their lines and reasons, and how many there are.
struct DamageLog {
  /// How many are listed.
  static let shownCount = 20

  private(set) var count = 0
  /// `file:line: reason`
  private(set) var shown: [String] = []

  mutating func add(path: String, line: Int, _ problem: RowProblem) {
    count += 1
    guard shown.count < Self.shownCount else { return }
    let place = (path.split(separator: "/").last ?? "")[...].sanitized()
    shown.append("\(place):\(line): \(problem.words)")
  }

  /// The list, one line each, with the number of those that are left out.
  var lines: [String] {
    shown + (count > shown.count ? ["… and \(count - shown.count) more damaged lines"] : [])
  }

  /// The end of an import that may not leave out rows.
  func error(path: String, rowCount: Int) -> DatasetError {
    DatasetError(
      .malformed, path: path,
      "has \(count) damaged \(count == 1 ? "line" : "lines") (of \(rowCount)), so nothing was "
        + "imported: repair \(count == 1 ? "it" : "them"), or leave \(count == 1 ? "it" : "them") "
        + "out with --skip-damaged")
  }
}
