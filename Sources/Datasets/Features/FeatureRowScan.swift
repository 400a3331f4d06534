/// Looks at the values of one feature row.
enum FeatureRowScan: Equatable {
  /// All values can be computed with; the largest magnitude among them, 0 if all are 0.
  case usable(largest: Float)
  /// The first column with a NaN, an infinity or a value beyond ``FeatureMatrix/largestValue``.
  case unusable(column: Int)

  /// One pass over the bits, without branches, so that the compiler can use vectors: without their
  /// signs, floats are ordered as their bits are, with infinities and NaNs above all numbers.
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
