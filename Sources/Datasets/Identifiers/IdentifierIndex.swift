/// Finds rows by their key: a hash table of row numbers, whose keys stay where they are. 8 bytes
/// per row at most, and 4 at least.
package struct IdentifierIndex: Sendable {
  /// Row numbers, -1 where there is none; a power of two, at least a quarter of it free.
  private let slots: [Int32]

  /// - Parameters:
  ///   - count: how many rows there are.
  ///   - key: the key of a row.
  ///   - repeated: the error for two rows, first the earlier, with one key.
  /// - Precondition: `count < 2^31`.
  package init(
    count: Int, key: (Int) -> UnsafeRawBufferPointer,
    repeated: (_ earlier: Int, _ later: Int) -> DatasetError
  ) throws(DatasetError) {
    var capacity = 4
    while capacity / 4 * 3 < count { capacity *= 2 }
    var slots = [Int32](repeating: -1, count: capacity)
    for row in 0..<count {
      let bytes = key(row)
      var slot = Self.hash(bytes) & (capacity - 1)
      while slots[slot] >= 0 {
        if Self.isEqual(key(Int(slots[slot])), bytes) { throw repeated(Int(slots[slot]), row) }
        slot = (slot + 1) & (capacity - 1)
      }
      slots[slot] = Int32(truncatingIfNeeded: row)
    }
    self.slots = slots
  }

  /// The row with a key; nil if there is none.
  package func find(
    _ bytes: UnsafeRawBufferPointer, key: (Int) -> UnsafeRawBufferPointer
  ) -> Int? {
    var slot = Self.hash(bytes) & (slots.count - 1)
    while slots[slot] >= 0 {
      if Self.isEqual(key(Int(slots[slot])), bytes) { return Int(slots[slot]) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// With another seed in every process, so that no file can be made whose ids all collide.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: bytes)
    return hasher.finalize() & .max
  }

  private static func isEqual(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> Bool {
    first.count == second.count && first.elementsEqual(second)
  }
}
