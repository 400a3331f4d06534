import Tensors

/// A vector in the space of one modality's features, and its cosine with the features of items.
///
/// Cosines are computed in double precision and in one order, whatever the processor. So rankings
/// are the same on all machines, items with equal features are equally similar, and the similarity
/// of two items is the same both ways.
final class FeatureProbe {
  let rows: FeatureRows
  private let vector: UnsafeMutablePointer<Double>
  private var length = 0.0
  private let row: Matrix

  init(_ rows: FeatureRows) {
    self.rows = rows
    vector = .allocate(capacity: rows.width)
    vector.initialize(repeating: 0, count: rows.width)
    row = Matrix(rows: 1, columns: rows.width)
  }

  deinit { vector.deallocate() }

  /// Sets the vector to the features of an item.
  func focus(on item: Int) {
    rows.features.copyRow(item, to: row.pointer)
    for column in 0..<rows.width { vector[column] = Double(row.pointer[column]) }
    length = rows.lengths[item]
  }

  /// Sets the vector to the sum of the items' features, each scaled to length 1.
  func focus(onSumOf items: ReadOnlyArray<Int32>) {
    vector.update(repeating: 0, count: rows.width)
    for item in items where rows.lengths[Int(item)] > 0 {
      rows.features.copyRow(Int(item), to: row.pointer)
      let itemLength = rows.lengths[Int(item)]
      for column in 0..<rows.width { vector[column] += Double(row.pointer[column]) / itemLength }
    }
    var squares = 0.0
    for column in 0..<rows.width { squares += vector[column] * vector[column] }
    length = squares.squareRoot()
  }

  /// Copies the vector scaled to length 1, `[F]`; zeros stay.
  func copyUnitVector(to destination: UnsafeMutablePointer<Float>) {
    let scale = length > 0 ? 1 / length : 0
    for column in 0..<rows.width { destination[column] = Float(vector[column] * scale) }
  }

  /// The cosine with an item's features; 0 if one of the two vectors is all zero.
  func cosine(with item: Int) -> Double {
    let itemLength = rows.lengths[item]
    guard length > 0 && itemLength > 0 else { return 0 }
    rows.features.copyRow(item, to: row.pointer)
    return Self.product(vector, row.pointer, count: rows.width) / (length * itemLength)
  }

  /// Σ x_k y_k in eight sums, which are then added from the first to the last.
  private static func product(
    _ x: UnsafePointer<Double>, _ y: UnsafePointer<Float>, count: Int
  ) -> Double {
    var sums = SIMD8<Double>.zero
    let whole = count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      let left = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD8<Double>.self)
      let right = UnsafeRawPointer(y + start).loadUnaligned(as: SIMD8<Float>.self)
      sums += left * SIMD8<Double>(right)
    }
    var total = 0.0
    for lane in 0..<8 { total += sums[lane] }
    for position in whole..<count { total += x[position] * Double(y[position]) }
    return total
  }
}

/// The features of one modality and the Euclidean norm of each row.
final class FeatureRows: Sendable {
  let features: FeatureMatrix
  /// The Euclidean norm of each row, `[I]`; 0 for items without the modality, whatever stands
  /// there.
  let lengths: [Double]

  var rowCount: Int { features.rows }
  var width: Int { features.columns }

  init(_ features: FeatureMatrix) {
    self.features = features
    lengths = [Double](unsafeUninitializedCapacity: features.rows) { buffer, initialized in
      let lengths = buffer
      Lanes.current.forEachRange(of: features.rows, elements: features.columns) { rows in
        let row = Matrix(rows: 1, columns: features.columns)
        for index in rows {
          guard features.isPresent(index) else {
            lengths[index] = 0
            continue
          }
          features.copyRow(index, to: row.pointer)
          let squares = row.elements.reduce(0.0) { $0 + Double($1) * Double($1) }
          lengths[index] = squares.squareRoot()
        }
      }
      initialized = features.rows
    }
  }

  /// Copies rows scaled to length 1, `[rows.count, F]`; rows of zeros stay.
  func copyUnitRows(_ rows: Range<Int>, to destination: UnsafeMutablePointer<Float>) {
    Lanes.current.forEachRange(of: rows.count, elements: width) { range in
      for position in range {
        let row = rows.lowerBound + position
        let target = destination + position * width
        features.copyRow(row, to: target)
        let scale = lengths[row] > 0 ? Float(1 / lengths[row]) : 0
        for column in 0..<width { target[column] *= scale }
      }
    }
  }
}
