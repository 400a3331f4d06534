/// The distinct values of a list of ids, and where each entry of the list stands among them.
struct DistinctIDs: Equatable {
  /// Ascending, each once.
  let values: [Int32]
  /// `[ids.count]`: `values[index[b]] == ids[b]`.
  let index: [Int32]

  /// Sorts by radix: its time depends on the length of the list alone, not on how many users or
  /// items there are, and no hashing is involved.
  ///
  /// - Precondition: ids are at least 0, and there are fewer than 2^31 of them.
  init(_ ids: [Int32]) {
    let keys = Self.sorted(ids)
    var values: [Int32] = []
    values.reserveCapacity(ids.count)
    var index = [Int32](repeating: 0, count: ids.count)
    for key in keys {
      let id = Int32(truncatingIfNeeded: key >> 32)
      if values.last != id { values.append(id) }
      index[Int(key & 0xFFFF_FFFF)] = Int32(truncatingIfNeeded: values.count - 1)
    }
    self.values = values
    self.index = index
  }

  /// `id << 32 | position`, ascending by id.
  private static func sorted(_ ids: [Int32]) -> [UInt64] {
    let digitBits: UInt64 = 11
    let mask: UInt64 = 1 << digitBits - 1
    var keys = [UInt64](repeating: 0, count: ids.count)
    var largest: UInt64 = 0
    for (position, id) in ids.enumerated() {
      let wide = UInt64(id)
      largest = max(largest, wide)
      keys[position] = wide << 32 | UInt64(position)
    }
    var target = keys
    var shift: UInt64 = 32
    while largest > 0 {
      var starts = [Int](repeating: 0, count: 1 << Int(digitBits))
      for key in keys { starts[Int(key >> shift & mask)] += 1 }
      var sum = 0
      for digit in starts.indices { (starts[digit], sum) = (sum, sum + starts[digit]) }
      for key in keys {
        let digit = Int(key >> shift & mask)
        target[starts[digit]] = key
        starts[digit] += 1
      }
      swap(&keys, &target)
      shift += digitBits
      largest >>= digitBits
    }
    return keys
  }
}
