/// Checks the values of one feature row.
package enum FeatureRowScan: Equatable {
  /// All values are accepted; the largest magnitude among them, 0 if all are 0.
  case usable(largest: Float)
  /// The first column with a NaN, an infinity or a value beyond ``FeatureMatrix/largestValue``.
  case unusable(column: Int)

  /// One pass over the bits without branches, so that it vectorises: without their signs, floats
  /// are ordered as their bits are, with infinities and NaNs above all numbers.
  package static func scan(_ row: UnsafeBufferPointer<Float>) -> FeatureRowScan {
    var largest: UInt32 = 0
    for value in row { largest = max(largest, value.bitPattern & 0x7FFF_FFFF) }
    if largest > FeatureMatrix.largestValue.bitPattern,
      let column = row.firstIndex(where: { !($0.magnitude <= FeatureMatrix.largestValue) })
    {
      return .unusable(column: column)
    }
    return .usable(largest: Float(bitPattern: largest))
  }

  /// Why a value is refused, and what to do.
  ///
  /// - Parameter place: where it stands, such as `row 3, column 7`.
  package static func sentence(for value: Float, place: String) -> String {
    let problem =
      value.isFinite
      ? "too large to be squared and summed in 32-bit floats; up to \(FeatureMatrix.largestValue) "
        + "is possible: scale the features, for instance to mean 0 and deviation 1, or replace the "
        + "value"
      : "but features must be finite numbers (as 32-bit floats): replace it, for instance with the "
        + "column's mean"
    return "\(place) is \(value), \(problem)"
  }
}
