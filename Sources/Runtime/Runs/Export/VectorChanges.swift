import Recommenders
import Tensors

/// Which rows of the final vectors differ between two versions of a run: what a serving store that
/// has the vectors of the first needs to have those of the second.
struct VectorChanges {
  let before: ExportedVectors
  let after: ExportedVectors
  private let users: [Int]
  private let items: [Int]

  /// - Throws: ``RuntimeError`` if `before` is the later version, or has other shapes.
  init(from before: ExportedVectors, to after: ExportedVectors) throws {
    self.before = before
    self.after = after
    guard before.version <= after.version else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot write what changed since version \(before.version): the export is of "
          + "version \(after.version), which is earlier. Name a later one with --checkpoint.")
    }
    users = try Self.differing(before.users, after.users)
    items = try Self.differing(before.items, after.items)
  }

  /// The rows of a side that differ in any bit, ascending.
  func rows(_ side: Side) -> [Int] { side == .user ? users : items }

  private static func differing(_ left: Matrix, _ right: Matrix) throws -> [Int] {
    guard left.rows == right.rows, left.columns == right.columns else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot compare versions of \(left.rows) × \(left.columns) and \(right.rows) × "
          + "\(right.columns) numbers: they are not of one run. Restore the run from a copy.")
    }
    return (0..<left.rows).filter { row in
      !zip(left.row(row), right.row(row)).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
  }
}
