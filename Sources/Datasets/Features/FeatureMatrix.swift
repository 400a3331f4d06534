import Tensors

/// The features of one modality, one row per item, `[rows, columns]`: backed by a file that stays
/// memory-mapped, or by a matrix in memory.
///
/// Every value is finite and not beyond ``largestValue``: making one scans all of them.
public struct FeatureMatrix: Sendable {
  /// The modality, such as `visual`.
  public let name: String
  public let rows: Int
  public let columns: Int
  /// How many rows hold nothing but zeros: items whose features were probably missing.
  public let zeroRowCount: Int
  /// Precomputed nearest items, by ascending k; usually none.
  public let neighbours: [NeighbourLists]
  /// The largest magnitude of a value.
  public let largestMagnitude: Float
  private let storage: Storage

  /// The largest magnitude that is accepted. Products of features are squared and summed over
  /// thousands of columns and examples, in 32-bit floats, which overflow at 3e38.
  static let largestValue: Float = 1e12

  private enum Storage: Sendable {
    case file(NPYFile)
    case matrix(Matrix)
  }

  /// - Throws: ``DatasetError`` that names the first row and column with a NaN, an infinity or a
  ///   value that is too large.
  /// - Precondition: the neighbours are those of `file.rows` items.
  public init(
    name: String, file: NPYFile, neighbours: [NeighbourLists] = []
  ) throws(DatasetError) {
    try self.init(
      name: name, rows: file.rows, columns: file.columns, storage: .file(file), path: file.path,
      neighbours: neighbours)
  }

  /// - Throws: ``DatasetError`` that names the first row and column with a NaN, an infinity or a
  ///   value that is too large.
  /// - Precondition: the matrix is not empty and does not change afterwards; the neighbours are
  ///   those of `matrix.rows` items.
  public init(
    name: String, matrix: Matrix, neighbours: [NeighbourLists] = []
  ) throws(DatasetError) {
    precondition(matrix.count > 0, "features '\(name)' of shape \(matrix.shape)")
    try self.init(
      name: name, rows: matrix.rows, columns: matrix.columns, storage: .matrix(matrix), path: name,
      neighbours: neighbours)
  }

  private init(
    name: String, rows: Int, columns: Int, storage: Storage, path: String,
    neighbours: [NeighbourLists]
  ) throws(DatasetError) {
    precondition(neighbours.allSatisfy { $0.itemCount == rows }, "neighbours of \(rows) items")
    self.name = name
    self.neighbours = neighbours
    self.rows = rows
    self.columns = columns
    self.storage = storage
    var zeroRowCount = 0
    var largestMagnitude: Float = 0
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: columns)
    defer { buffer.deallocate() }
    if let base = buffer.baseAddress {
      for row in 0..<rows {
        Self.copyRow(row, of: storage, columns: columns, to: base)
        switch FeatureRowScan.scan(UnsafeBufferPointer(buffer)) {
        case .usable(let largest):
          if largest == 0 { zeroRowCount += 1 }
          largestMagnitude = max(largestMagnitude, largest)
        case .unusable(let column):
          throw Self.unusable(buffer[column], row: row, column: column, path: path)
        }
      }
    }
    self.zeroRowCount = zeroRowCount
    self.largestMagnitude = largestMagnitude
  }

  private static func unusable(
    _ value: Float, row: Int, column: Int, path: String
  ) -> DatasetError {
    let problem =
      value.isFinite
      ? "too large to be squared and summed in 32-bit floats; up to \(largestValue) is possible: "
        + "scale the features, for instance to mean 0 and deviation 1, or replace the value"
      : "but features must be finite numbers (as 32-bit floats): replace it, for instance with the "
        + "column's mean"
    return DatasetError(
      .inconsistent, path: path, "row \(row), column \(column) is \(value), \(problem)")
  }

  /// Where the values come from, if from a file.
  public var file: NPYFile? {
    if case .file(let file) = storage { file } else { nil }
  }

  /// Copies one row, `[columns]`.
  ///
  /// - Precondition: `0 <= row < rows`, and `destination` has room for a row.
  public func copyRow(_ row: Int, to destination: UnsafeMutablePointer<Float>) {
    Self.copyRow(row, of: storage, columns: columns, to: destination)
  }

  /// Copies the rows of some items, one below the other, `[items.count, columns]`.
  ///
  /// - Precondition: every item is in `0 ..< rows`, and `destination` has room for all rows.
  public func gather(_ items: [Int32], into destination: UnsafeMutablePointer<Float>) {
    var target = destination
    for item in items {
      Self.copyRow(Int(item), of: storage, columns: columns, to: target)
      target += columns
    }
  }

  private static func copyRow(
    _ row: Int, of storage: Storage, columns: Int, to destination: UnsafeMutablePointer<Float>
  ) {
    switch storage {
    case .file(let file):
      file.copyRow(row, to: destination)
    case .matrix(let matrix):
      guard let source = matrix.row(row).baseAddress else { return }
      destination.update(from: source, count: columns)
    }
  }

  /// A digest of name, shape, values and precomputed neighbours. A file and a matrix with the same
  /// 32-bit values have the same digest.
  func contentDigest() -> String {
    var digest = ContentDigest()
    digest.combine(name)
    digest.combine(rows)
    digest.combine(columns)
    switch storage {
    case .file(let file):
      digest.combine(
        "\(file.element.rawValue) \(file.isFortranOrder ? "F" : "C") "
          + (file.isBigEndian ? ">" : "<")
      )
      digest.combine(file.payload)
    case .matrix(let matrix):
      digest.combine("\(NPYElement.float32.rawValue) C <")
      digest.combine(UnsafeRawBufferPointer(matrix.elements))
    }
    for lists in neighbours { lists.fold(into: &digest) }
    return digest.text
  }
}

/// Checks the values of one feature row.
enum FeatureRowScan: Equatable {
  /// All values are accepted; the largest magnitude among them, 0 if all are 0.
  case usable(largest: Float)
  /// The first column with a NaN, an infinity or a value beyond ``FeatureMatrix/largestValue``.
  case unusable(column: Int)

  /// One pass over the bits without branches, so that it vectorises: without their signs, floats
  /// are ordered as their bits are, with infinities and NaNs above all numbers.
  static func scan(_ row: UnsafeBufferPointer<Float>) -> FeatureRowScan {
    var largest: UInt32 = 0
    for value in row { largest = max(largest, value.bitPattern & 0x7FFF_FFFF) }
    if largest > FeatureMatrix.largestValue.bitPattern,
      let column = row.firstIndex(where: { !($0.magnitude <= FeatureMatrix.largestValue) })
    {
      return .unusable(column: column)
    }
    return .usable(largest: Float(bitPattern: largest))
  }
}
