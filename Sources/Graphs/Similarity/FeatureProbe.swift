internal import Datasets
internal import Tensors

/// A vector in the space of one modality's features, and its cosine with the features of items.
///
/// Cosines are computed in double precision and in one order, whatever the processor: what decides
/// between two items is the same on all machines, items with equal features are equally similar,
/// and the similarity of two items is the same both ways.
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

  /// Becomes the features of an item.
  func focus(on item: Int) {
    rows.features.copyRow(item, to: row.pointer)
    for column in 0..<rows.width { vector[column] = Double(row.pointer[column]) }
    length = rows.lengths[item]
  }

  /// Becomes the sum of the items' features, each scaled to length 1.
  func focus(onSumOf items: ArraySlice<Int32>) {
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
