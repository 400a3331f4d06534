/// The union of lists of which each is ascending and has every number once.
package enum AscendingUnion {
  /// Merges two lists at a time, so that the cost is that of the numbers times log₂ of the lists,
  /// whatever the range of the numbers.
  ///
  /// - Returns: the numbers of all lists, ascending, each once.
  package static func of(_ lists: [[Int32]]) -> [Int32] { merged(lists) }

  /// As for `Int32`.
  package static func of(_ lists: [[UInt32]]) -> [UInt32] { merged(lists) }

  // Called for two types of this file only, so that the compiler specializes it.
  private static func merged<Number: FixedWidthInteger>(_ lists: [[Number]]) -> [Number] {
    var runs = lists
    while runs.count > 1 {
      runs = stride(from: 0, to: runs.count, by: 2).map { index in
        index + 1 < runs.count ? merged(runs[index], runs[index + 1]) : runs[index]
      }
    }
    return runs.first ?? []
  }

  private static func merged<Number: FixedWidthInteger>(
    _ left: [Number], _ right: [Number]
  ) -> [Number] {
    guard !left.isEmpty, left != right else { return right }
    guard !right.isEmpty else { return left }
    return left.withUnsafeBufferPointer { left in
      right.withUnsafeBufferPointer { right in
        [Number](unsafeUninitializedCapacity: left.count + right.count) { result, count in
          var (i, j) = (0, 0)
          while i < left.count && j < right.count {
            let (a, b) = (left[i], right[j])
            result.initializeElement(at: count, to: min(a, b))
            count += 1
            i += a <= b ? 1 : 0
            j += b <= a ? 1 : 0
          }
          for k in i..<left.count {
            result.initializeElement(at: count, to: left[k])
            count += 1
          }
          for k in j..<right.count {
            result.initializeElement(at: count, to: right[k])
            count += 1
          }
        }
      }
    }
  }
}
