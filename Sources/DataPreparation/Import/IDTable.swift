import Foundation

/// Numbers texts in the order of their first appearance: 0, 1, 2, …
///
/// An open hash table whose slots hold texts of up to 24 bytes, so that a lookup, which is nearly
/// always a miss of all caches, costs one of them; longer texts cost two. No lookup makes a string.
/// The memory is that of the different texts, plus 54 to 100 bytes for each.
package final class IDTable {
  /// The longest text that a slot holds.
  private static let inlineByteCount = 24

  /// A text with its hash, ready for lookups.
  package struct Key {
    let text: UnsafeRawBufferPointer
    let hash: UInt64
    /// The bytes, padded with zeros, if they fit; else the hash.
    fileprivate let words: (UInt64, UInt64, UInt64)

    @inline(__always)
    package init(_ text: UnsafeRawBufferPointer) {
      self.text = text
      let count = text.count
      guard count <= inlineByteCount else {
        hash = Self.longHash(text)
        words = (hash, 0, 0)
        return
      }
      if count < 8 {
        words = (Self.tail(text, from: 0), 0, 0)
      } else if count < 16 {
        words = (Self.word(text, at: 0), Self.tail(text, from: 8), 0)
      } else {
        words = (Self.word(text, at: 0), Self.word(text, at: 8), Self.tail(text, from: 16))
      }
      var mixed = Self.mix(UInt64(truncatingIfNeeded: count), words.0)
      if count > 7 { mixed = Self.mix(mixed, words.1) }
      if count > 15 { mixed = Self.mix(mixed, words.2) }
      hash = Self.mix(mixed, 0xD6E8_FEB8_6659_FD93)
    }

    @inline(__always)
    private static func word(_ text: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
      text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// The bytes from an offset to the end, at most 8, padded with zeros.
    @inline(__always)
    private static func tail(_ text: UnsafeRawBufferPointer, from offset: Int) -> UInt64 {
      let count = text.count &- offset
      if count == 0 { return 0 }
      if text.count >= 8 {
        // The last 8 bytes, without those before the offset.
        return word(text, at: text.count &- 8) >> UInt64(truncatingIfNeeded: 8 &* (8 &- count))
      }
      var value: UInt64 = 0
      var index = text.count
      while index > offset {
        index &-= 1
        value = value << 8 | UInt64(text[index])
      }
      return value
    }

    private static func longHash(_ text: UnsafeRawBufferPointer) -> UInt64 {
      var hash = UInt64(truncatingIfNeeded: text.count)
      var index = 0
      while index &+ 8 <= text.count {
        hash = mix(hash, word(text, at: index))
        index &+= 8
      }
      return mix(mix(hash, tail(text, from: index)), 0xD6E8_FEB8_6659_FD93)
    }

    /// Multiplies, and folds the two halves of the product.
    @inline(__always)
    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
      let product = (hash ^ word ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(
        by: 0xE703_7ED1_A0B4_28DB)
      return product.high ^ product.low
    }
  }

  private struct Slot {
    /// -1: free.
    var id: Int32
    var byteCount: UInt32
    var words: (UInt64, UInt64, UInt64)
  }

  /// The number of different texts.
  package private(set) var count = 0
  private var slots: UnsafeMutablePointer<Slot>
  private var mask: Int
  /// Where text n begins; text n ends where n + 1 begins.
  private var starts: [Int] = [0]
  private var texts = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 12, alignment: 8)

  package init() {
    mask = (1 << 10) - 1
    slots = Self.freeSlots(1 << 10)
  }

  deinit {
    slots.deallocate()
    texts.deallocate()
  }

  private static func freeSlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
    let byteCount = count * MemoryLayout<Slot>.stride
    // Large pages, where the system has them, spare misses of the page table's cache.
    let isLarge = byteCount >= 2 << 20
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? 2 << 20 : 64)
    #if canImport(Glibc)
      if isLarge { madvise(memory, byteCount, Int32(MADV_HUGEPAGE)) }
    #endif
    let slots = memory.bindMemory(to: Slot.self, capacity: count)
    slots.initialize(repeating: Slot(id: -1, byteCount: 0, words: (0, 0, 0)), count: count)
    return slots
  }

  /// The number of a text; nil if it has none.
  package func find(_ text: UnsafeRawBufferPointer) -> Int32? {
    find(Key(text))
  }

  @inline(__always)
  package func find(_ key: Key) -> Int32? {
    var index = Int(truncatingIfNeeded: key.hash) & mask
    let byteCount = UInt32(truncatingIfNeeded: key.text.count)
    while true {
      let slot = slots + index
      let id = slot.pointee.id
      if id < 0 { return nil }
      if slot.pointee.byteCount == byteCount, slot.pointee.words == key.words,
        byteCount <= Self.inlineByteCount || self[id].elementsEqual(key.text)
      {
        return id
      }
      index = (index &+ 1) & mask
    }
  }

  /// Gives a text the next number.
  ///
  /// - Precondition: it has none yet, and there are fewer than 2³¹ − 1.
  package func insert(_ key: Key) -> Int32 {
    precondition(count < Int(Int32.max), "IDTable is full")
    if 10 * (count + 1) > 7 * (mask + 1) { growSlots() }
    let start = starts[count]
    let end = start + key.text.count
    if end > texts.count { growTexts(toHold: end) }
    UnsafeMutableRawBufferPointer(rebasing: texts[start..<end]).copyMemory(from: key.text)
    starts.append(end)
    place(key, id: Int32(count))
    count += 1
    return Int32(count - 1)
  }

  /// The text of a number. Valid until the next ``insert(_:)``.
  package subscript(id: Int32) -> UnsafeRawBufferPointer {
    let id = Int(id)
    return UnsafeRawBufferPointer(rebasing: texts[starts[id]..<starts[id + 1]])
  }

  private func place(_ key: Key, id: Int32) {
    var index = Int(truncatingIfNeeded: key.hash) & mask
    while slots[index].id >= 0 { index = (index &+ 1) & mask }
    slots[index] = Slot(
      id: id, byteCount: UInt32(truncatingIfNeeded: key.text.count), words: key.words)
  }

  private func growSlots() {
    let larger = 2 * (mask + 1)
    slots.deallocate()
    slots = Self.freeSlots(larger)
    mask = larger - 1
    for id in 0..<Int32(count) { place(Key(self[id]), id: id) }
  }

  private func growTexts(toHold count: Int) {
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(2 * texts.count, count), alignment: 8)
    larger.copyMemory(from: UnsafeRawBufferPointer(texts))
    texts.deallocate()
    texts = larger
  }
}
