/// Looks at the values of one feature row.
enum FeatureRowScan: Equatable {
  /// All values are finite, and one at least is not 0.
  case finite
  case zero
  /// The first column that holds a NaN or an infinity.
  case notFinite(column: Int)

  /// One pass over the bits, without branches, so that the compiler can use vectors.
  static func scan(_ row: UnsafeBufferPointer<Float>) -> FeatureRowScan {
    let exponent: UInt32 = 0x7F80_0000
    var hasValue: UInt32 = 0
    var isBad: UInt32 = 0
    for value in row {
      let bits = value.bitPattern
      hasValue |= bits & 0x7FFF_FFFF
      isBad |= bits & exponent == exponent ? 1 : 0
    }
    if isBad != 0, let column = row.firstIndex(where: { !$0.isFinite }) {
      return .notFinite(column: column)
    }
    return hasValue == 0 ? .zero : .finite
  }
}
