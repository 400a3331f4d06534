import Tensors

/// Where the parts of a file of prepared interactions are, in bytes.
///
/// Little-endian, each part at a multiple of 8, in this order:
/// - 8 bytes `mrdibINT`; the format's version and the columns of the text, numbered as by
///   ``InteractionFileWriter``, as `UInt32`; the XXH3-128 of the text, 32 hexadecimal digits;
/// - as `Int64` each: users U; the largest item id; the smallest item id below it that does not
///   occur, or −1; interactions of train, validation and test; users, validation and test
///   interactions that were dropped;
/// - users and items of the training interactions in the order of the text, as `Int32`;
/// - for train, validation and test: where each user's items begin, `U + 1` `Int64`; the items,
///   ascending for each user, as `Int32`;
/// - the XXH3-128 of everything before, 32 hexadecimal digits.
struct PreparedLayout {
  static let magic = Array("mrdibINT".utf8)
  static let version: UInt32 = 1
  static let headerByteCount = CachedFile.sourceRange.upperBound + PreparedCounts.count * 8

  let trainUsers: Range<Int>
  let trainItems: Range<Int>
  /// Of train, validation and test.
  let offsets: [Range<Int>]
  /// Of train, validation and test.
  let columns: [Range<Int>]
  let digest: Range<Int>

  /// - Precondition: the counts are in `0 ... Int32.max`.
  init(_ counts: PreparedCounts) {
    var end = Self.headerByteCount
    func next(_ byteCount: Int) -> Range<Int> {
      let start = end
      end = (start + byteCount + 7) & ~7
      return start..<start + byteCount
    }
    trainUsers = next(counts.interactions[0] * 4)
    trainItems = next(counts.interactions[0] * 4)
    var offsets: [Range<Int>] = []
    var columns: [Range<Int>] = []
    for count in counts.interactions {
      offsets.append(next((counts.users + 1) * 8))
      columns.append(next(count * 4))
    }
    self.offsets = offsets
    self.columns = columns
    digest = next(ByteDigest.digitCount)
  }
}

/// The numbers in the header of a file of prepared interactions.
package struct PreparedCounts: Equatable {
  static let count = 9

  package var users = 0
  package var largestItem = -1
  /// Below ``largestItem``; −1 if every item occurs.
  package var missingItem = -1
  /// Of train, validation and test, without those that were dropped.
  package var interactions = [0, 0, 0]
  /// Users, validation and test.
  package var dropped = [0, 0, 0]

  /// In the order of the file.
  var numbers: [Int64] {
    ([users, largestItem, missingItem] + interactions + dropped).map { Int64($0) }
  }

  init() {}

  /// - Returns: nil for numbers that no writer makes.
  init?(_ numbers: [Int64]) {
    guard numbers.count == Self.count, numbers.allSatisfy({ $0 >= -1 && $0 <= Int32.max }) else {
      return nil
    }
    let values = numbers.map { Int($0) }
    users = values[0]
    largestItem = values[1]
    missingItem = values[2]
    interactions = Array(values[3..<6])
    dropped = Array(values[6..<9])
    guard users > 0, largestItem >= 0, missingItem < largestItem, interactions[0] > 0,
      (interactions + dropped).allSatisfy({ $0 >= 0 })
    else { return nil }
  }
}
