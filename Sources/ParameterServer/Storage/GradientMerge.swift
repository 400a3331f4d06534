internal import CKernels

/// The gradient rows that one contribution holds for a table.
package struct GradientSource {
  /// Ascending local row indices, `[count]`; nil: rows 0 ..< count.
  let rows: UnsafePointer<UInt32>?
  let count: Int
  /// `[count, width]`, at any address.
  let values: UnsafeRawPointer

  @inline(__always)
  func row(at position: Int) -> Int { rows.map { Int($0[position]) } ?? position }
}

/// Walks over the rows of several contributions in ascending order and adds up each row's
/// gradients, in the order of the contributions: the sum has the same bits wherever the row lives.
///
/// - Complexity: O(contributions) per row beside the additions.
struct GradientMerge: ~Copyable {
  struct Row {
    let index: Int
    /// `[width]`, at any address; valid until the next row is asked for.
    let gradient: UnsafeRawPointer
    /// A row that will come soon, to be brought into the cache.
    let upcoming: Int?
  }

  /// How many rows ahead `upcoming` looks: far enough to hide memory, near enough to stay in cache.
  private static let lookahead = 6

  private let sources: [GradientSource]
  private let width: Int
  private var positions: [Int]
  private let sum: UnsafeMutablePointer<Float>

  init(_ sources: [GradientSource], width: Int) {
    self.sources = sources
    self.width = width
    positions = [Int](repeating: 0, count: sources.count)
    sum = .allocate(capacity: width)
    sum.initialize(repeating: 0, count: width)
  }

  deinit { sum.deallocate() }

  mutating func next() -> Row? {
    var index = Int.max
    for (position, source) in zip(positions, sources) where position < source.count {
      index = min(index, source.row(at: position))
    }
    guard index < Int.max else { return nil }
    var gradient: UnsafeRawPointer?
    var upcoming: Int?
    for number in sources.indices {
      let source = sources[number]
      let position = positions[number]
      guard position < source.count, source.row(at: position) == index else { continue }
      positions[number] += 1
      let values = source.values + position * width * MemoryLayout<Float>.stride
      guard let earlier = gradient else {
        gradient = values  // the only one so far: used where it lies
        if position + Self.lookahead < source.count {
          upcoming = source.row(at: position + Self.lookahead)
        }
        continue
      }
      if earlier != UnsafeRawPointer(sum) {
        UnsafeMutableRawPointer(sum).copyMemory(
          from: earlier, byteCount: width * MemoryLayout<Float>.stride)
        gradient = UnsafeRawPointer(sum)
      }
      mrdib_add(sum, values, width)
    }
    return gradient.map { Row(index: index, gradient: $0, upcoming: upcoming) }
  }
}
