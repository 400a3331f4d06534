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
  /// Which items have the modality; nil if all have.
  public let mask: FeatureMask?
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
  /// - Precondition: the neighbours and the mask are those of `file.rows` items.
  public init(
    name: String, file: NPYFile, neighbours: [NeighbourLists] = [], mask: FeatureMask? = nil
  ) throws(DatasetError) {
    try self.init(
      name: name, rows: file.rows, columns: file.columns, storage: .file(file), path: file.path,
      neighbours: neighbours, mask: mask)
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
      neighbours: neighbours, mask: nil)
  }

  private init(
    name: String, rows: Int, columns: Int, storage: Storage, path: String,
    neighbours: [NeighbourLists], mask: FeatureMask?
  ) throws(DatasetError) {
    precondition(neighbours.allSatisfy { $0.itemCount == rows }, "neighbours of \(rows) items")
    precondition(mask.map { $0.itemCount == rows } ?? true, "a mask of \(rows) items")
    self.name = name
    self.neighbours = neighbours
    self.mask = mask
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
          throw DatasetError(
            .inconsistent, path: path,
            FeatureRowScan.sentence(
              for: buffer[column], place: "row \(row), column \(column)"))
        }
      }
    }
    self.zeroRowCount = zeroRowCount
    self.largestMagnitude = largestMagnitude
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
    Lanes.current.forEachRange(of: items.count, elements: columns) { range in
      for position in range {
        copyRow(Int(items[position]), to: destination + position * columns)
      }
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
