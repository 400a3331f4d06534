import Tensors

/// The features of one modality, one row per item, `[rows, columns]`: backed by a file that stays
/// memory-mapped, or by a matrix in memory.
///
/// Every value is finite and not beyond ``largestValue``: making one scans all of them.
public struct FeatureMatrix: Sendable {
  /// The modality, such as `visual`.
  public let name: String
  public private(set) var rows: Int
  public let columns: Int
  /// How many rows that were read hold nothing but zeros: items whose features were probably
  /// missing.
  public let zeroRowCount: Int
  /// How many rows that were read are NaN in all columns: items that are declared to lack the
  /// modality.
  package let nanRowCount: Int
  /// Precomputed nearest items, by ascending k; usually none.
  public private(set) var neighbours: [NeighbourLists]
  /// Which items have the modality; nil if all have.
  public private(set) var mask: FeatureMask?
  /// What stands in the rows of the others.
  public private(set) var missing = MissingFeatures.filled
  /// The largest magnitude of a value.
  public let largestMagnitude: Float
  private let storage: Storage
  /// Where rows come from, if not from the rows of the same number.
  private var plan: RowPlan?

  /// The largest magnitude that is accepted. Products of features are squared and summed over
  /// thousands of columns and examples, in 32-bit floats, which overflow at 3e38.
  static let largestValue: Float = 1e12

  private enum Storage: Sendable {
    case file(NPYFile)
    case matrix(Matrix)
  }

  /// - Parameter acceptsNaNRows: whether rows of nothing but NaN are items without the modality.
  /// - Throws: ``DatasetError`` that names the first row and column with a NaN, an infinity or a
  ///   value that is too large.
  /// - Precondition: the neighbours and the mask are those of `file.rows` items.
  public init(
    name: String, file: NPYFile, neighbours: [NeighbourLists] = [], mask: FeatureMask? = nil,
    acceptsNaNRows: Bool = false
  ) throws(DatasetError) {
    try self.init(
      name: name, rows: file.rows, columns: file.columns, storage: .file(file), path: file.path,
      neighbours: neighbours, mask: mask, acceptsNaNRows: acceptsNaNRows)
  }

  /// - Parameter acceptsNaNRows: whether rows of nothing but NaN are items without the modality.
  /// - Throws: ``DatasetError`` that names the first row and column with a NaN, an infinity or a
  ///   value that is too large.
  /// - Precondition: the matrix is not empty and does not change afterwards; the neighbours and the
  ///   mask are those of `matrix.rows` items.
  public init(
    name: String, matrix: Matrix, neighbours: [NeighbourLists] = [], mask: FeatureMask? = nil,
    acceptsNaNRows: Bool = false
  ) throws(DatasetError) {
    precondition(matrix.count > 0, "features '\(name)' of shape \(matrix.shape)")
    try self.init(
      name: name, rows: matrix.rows, columns: matrix.columns, storage: .matrix(matrix), path: name,
      neighbours: neighbours, mask: mask, acceptsNaNRows: acceptsNaNRows)
  }

  private init(
    name: String, rows: Int, columns: Int, storage: Storage, path: String,
    neighbours: [NeighbourLists], mask: FeatureMask?, acceptsNaNRows: Bool
  ) throws(DatasetError) {
    precondition(neighbours.allSatisfy { $0.itemCount == rows }, "neighbours of \(rows) items")
    precondition(mask.map { $0.itemCount == rows } ?? true, "a mask of \(rows) items")
    self.name = name
    self.neighbours = neighbours
    self.rows = rows
    self.columns = columns
    self.storage = storage
    var zeroRowCount = 0
    var largestMagnitude: Float = 0
    var nanRows: [Int] = []
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
          let isAllNaN = buffer.allSatisfy(\.isNaN)
          if isAllNaN, acceptsNaNRows {
            nanRows.append(row)
            continue
          }
          let sentence = FeatureRowScan.sentence(
            for: buffer[column], place: "row \(row), column \(column)")
          throw DatasetError(
            .inconsistent, path: path,
            isAllNaN
              ? "\(sentence), or, if rows of NaN are items without the modality, say so in "
                + "training with --set nan_rows=missing"
              : sentence)
        }
      }
    }
    self.zeroRowCount = zeroRowCount
    nanRowCount = nanRows.count
    self.largestMagnitude = largestMagnitude
    self.mask = mask
    guard !nanRows.isEmpty else { return }
    var isPresent = mask?.isPresent ?? Array(repeating: true, count: rows)
    var plan = RowPlan(
      origins: (0..<Int32(rows)).map { $0 }, fill: Matrix(rows: 1, columns: columns))
    for row in nanRows {
      isPresent[row] = false
      plan.origins[row] = RowPlan.filled(0)
    }
    self.mask = FeatureMask(isPresent)
    self.plan = plan
  }

  /// The items that have the modality, ascending.
  package var presentItems: [Int32] {
    (0..<rows).filter { isPresent($0) }.map { Int32(truncatingIfNeeded: $0) }
  }

  /// Whether an item's row was read, and is no row of NaN.
  func hasReadRow(_ item: Int) -> Bool { plan.map { $0.origins[item] >= 0 } ?? true }

  /// Whether an item has the modality.
  package func isPresent(_ item: Int) -> Bool { mask?.isPresent[item] ?? true }

  /// Rows in another order, for items of which some lack the modality.
  ///
  /// - Parameters:
  ///   - origins: for each item the item whose row it has, or ``RowPlan/filled(_:)``, `[rows]`.
  ///   - fill: rows that are in no file, `[fills, columns]`; they do not change afterwards.
  ///   - mask: which items have the modality then.
  ///   - keepsNeighbours: whether precomputed neighbours are still those of the features.
  func arranged(
    origins: [Int32], fill: Matrix, mask: FeatureMask?, missing: MissingFeatures,
    keepsNeighbours: Bool
  ) -> FeatureMatrix {
    precondition(origins.count == rows, "\(origins.count) origins of \(rows) rows")
    var result = self
    result.plan = RowPlan(origins: origins, fill: fill)
    result.mask = mask
    result.missing = missing
    if !keepsNeighbours { result.neighbours = [] }
    return result
  }

  /// The rows of some items alone, which all have the modality.
  func selecting(_ items: [Int32]) -> FeatureMatrix {
    var result = self
    result.plan = RowPlan(
      origins: items.map { plan?.origins[Int($0)] ?? $0 },
      fill: plan?.fill ?? Matrix(rows: 1, columns: columns))
    result.rows = items.count
    result.mask = nil
    result.neighbours = []
    return result
  }

  /// Where the values come from, if from a file.
  public var file: NPYFile? {
    if case .file(let file) = storage { file } else { nil }
  }

  /// Copies one row, `[columns]`.
  ///
  /// - Precondition: `0 <= row < rows`, and `destination` has room for a row.
  public func copyRow(_ row: Int, to destination: UnsafeMutablePointer<Float>) {
    guard let plan else {
      return Self.copyRow(row, of: storage, columns: columns, to: destination)
    }
    let origin = plan.origins[row]
    if origin >= 0 {
      Self.copyRow(Int(origin), of: storage, columns: columns, to: destination)
    } else if let source = plan.fill.row(RowPlan.fillRow(origin)).baseAddress {
      destination.update(from: source, count: columns)
    }
  }

  /// Copies the rows of some items, one below the other, `[items.count, columns]`.
  ///
  /// - Precondition: every item is in `0 ..< rows`, and `destination` has room for all rows.
  public func gather(_ items: [Int32], into destination: UnsafeMutablePointer<Float>) {
    Lanes.current.forEachRange(of: items.count, elements: columns) { range in
      for position in range {
        if position + Self.lookahead < range.upperBound {
          prefetchRow(Int(items[position + Self.lookahead]))
        }
        copyRow(Int(items[position]), to: destination + position * columns)
      }
    }
  }

  /// How many rows ahead rows are prefetched: those of many items come from memory, not a cache.
  private static let lookahead = 8

  private func prefetchRow(_ row: Int) {
    guard case .file(let file) = storage else { return }
    guard let plan else { return file.prefetchRow(row) }
    let origin = plan.origins[row]
    if origin >= 0 { file.prefetchRow(Int(origin)) }
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

  /// A digest of name, shape, values, precomputed neighbours and the mask. A file and a
  /// matrix with the same 32-bit values have the same digest.
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
    if let mask, mask.presentCount < rows {
      digest.combine("mask")
      digest.combine(mask.isPresent.map { $0 ? Int32(1) : 0 })
      digest.combine(missing.rawValue)
    }
    if let plan {
      digest.combine("rows")
      digest.combine(plan.origins)
      digest.combine(UnsafeRawBufferPointer(plan.fill.elements))
    }
    return digest.text
  }
}

/// Which row each item has.
struct RowPlan: Sendable {
  /// For each item a row that was read, or ``filled(_:)``, `[rows]`.
  var origins: [Int32]
  /// Rows that were not read, `[fills, columns]`.
  let fill: Matrix

  /// The origin of an item that has a row of ``fill``.
  static func filled(_ row: Int) -> Int32 { -1 - Int32(row) }

  static func fillRow(_ origin: Int32) -> Int { -1 - Int(origin) }
}
