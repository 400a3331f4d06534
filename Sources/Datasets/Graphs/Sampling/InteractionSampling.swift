internal import Foundation
import Tensors

/// FREEDOM's degree-sensitive edge pruning: every epoch keeps some training interactions, drawn
/// without replacement with probabilities proportional to `ω = 1 / √(d_u d_i)`.
///
/// Drawing one after the other without replacement is the same as taking the largest of
/// `ln ω_e + g_e` with independent Gumbel numbers g, each of which depends only on seed, epoch and
/// its interaction's position among the training interactions by user and item. Two passes over
/// them find the largest, and memory is in proportion to those: the first pass counts the numbers
/// by their leading bits, the second compares only those of the interval in which the last place
/// is.
///
/// - Source: Zhou and Shen 2023, "A Tale of Two Graphs" (FREEDOM), section 3.2; Efraimidis and
///   Spirakis 2006 for sampling by keys.
package struct InteractionSampling {
  /// Interactions whose numbers are computed at once.
  private static let blockSize = 1 << 18

  private let train: AdjacencyList
  /// d_i + 1e-7 of each item, `[I]`.
  private let itemDegrees: [Double]

  package init(_ train: AdjacencyList) {
    self.train = train
    var counts = [Double](repeating: 0, count: train.columnCount)
    for item in train.columns { counts[Int(item)] += 1 }
    itemDegrees = counts.map { $0 + GraphNormalization.guarded.addend }
  }

  private var count: Int { train.columns.count }

  /// ω of every interaction, `[E]`, by user and item.
  package var weights: [Double] {
    var weights: [Double] = []
    weights.reserveCapacity(count)
    forEachInteraction(in: 0..<count) { weights.append(weight(user: $1, item: $2)) }
    return weights
  }

  private func weight(user: Int, item: Int32) -> Double {
    let degree = Double(train.degree(user)) + GraphNormalization.guarded.addend
    return 1 / (degree * itemDegrees[Int(item)]).squareRoot()
  }

  /// Calls `body` with some interactions, by user and item.
  private func forEachInteraction(
    in positions: Range<Int>, _ body: (_ position: Int, _ user: Int, _ item: Int32) -> Void
  ) {
    guard !positions.isEmpty else { return }
    var user = train.row(of: positions.lowerBound)
    for position in positions {
      while train.offsets[user + 1] <= position { user += 1 }
      body(position, user, train.columns[position])
    }
  }

  /// ⌊E (1 − ρ)⌋ as the reference computes it in double precision: with E = 100 and ρ = 0.8 it is
  /// 19, because 1 − 0.8 is a little less than 0.2.
  ///
  /// - Precondition: `0 <= dropout < 1`.
  package static func keptCount(of count: Int, dropout: Double) -> Int {
    precondition(dropout >= 0 && dropout < 1, "dropout \(dropout)")
    return Int(Double(count) * (1 - dropout))
  }

  /// The positions of the kept interactions, ascending.
  package func draw(dropout: Double, seed: UInt64, epoch: Int) -> [Int] {
    let kept = Self.keptCount(of: count, dropout: dropout)
    guard kept < count else { return Array(0..<count) }
    let random = CounterRandom(seed: seed, stream: .edgeSample, epoch: epoch)
    // Few interactions need few intervals.
    let leadingBits = min(20, max(1, Int.bitWidth - count.leadingZeroBitCount))
    let shift = UInt64(64 - leadingBits)
    var counts = [Int](repeating: 0, count: 1 << leadingBits)
    forEachKey(random) { _, key in counts[Int(key.ordered >> shift)] += 1 }
    // The interval of the last place, and how many are above it.
    var (interval, above) = (counts.count - 1, 0)
    while interval > 0, above + counts[interval] < kept {
      above += counts[interval]
      interval -= 1
    }
    var chosen: [Int] = []
    chosen.reserveCapacity(kept)
    var candidates: [(key: Double, position: Int)] = []
    forEachKey(random) { position, key in
      let place = Int(key.ordered >> shift)
      if place > interval { chosen.append(position) }
      if place == interval { candidates.append((key, position)) }
    }
    candidates.sort { ($1.key, $0.position) < ($0.key, $1.position) }
    chosen += candidates.prefix(kept - above).map(\.position)
    return chosen.sorted()
  }

  /// Calls `body` with `ln ω + g` of every interaction in turn; the numbers of a block are computed
  /// on all lanes.
  private func forEachKey(
    _ random: CounterRandom, _ body: (_ position: Int, _ key: Double) -> Void
  ) {
    var keys = [Double](repeating: 0, count: min(Self.blockSize, count))
    for start in stride(from: 0, to: count, by: Self.blockSize) {
      let end = min(start + Self.blockSize, count)
      keys.withUnsafeMutableBufferPointer { keys in
        let keys = keys
        Lanes.current.forEachRange(of: end - start, elements: 64) { range in
          forEachInteraction(in: start + range.lowerBound..<start + range.upperBound) {
            keys[$0 - start] = key(of: $0, weight: weight(user: $1, item: $2), random)
          }
        }
      }
      for position in start..<end { body(position, keys[position - start]) }
    }
  }

  private func key(of position: Int, weight: Double, _ random: CounterRandom) -> Double {
    let words = random.words(id: position)
    // 53 bits, shifted by half a step so that the value is never 0 or 1.
    let bits = (UInt64(words.x) << 32 | UInt64(words.y)) >> 11
    let uniform = (Double(bits) + 0.5) * 0x1p-53
    return log(weight) - log(-log(uniform))
  }

  /// The interactions at these positions, `[U, I]`.
  ///
  /// - Parameter positions: ascending.
  package func kept(_ positions: [Int]) -> AdjacencyList {
    var offsets = [0]
    offsets.reserveCapacity(train.rowCount + 1)
    var next = 0
    for user in 0..<train.rowCount {
      while next < positions.count, positions[next] < train.offsets[user + 1] { next += 1 }
      offsets.append(next)
    }
    return AdjacencyList(
      columnCount: train.columnCount, offsets: ReadOnlyArray(offsets),
      columns: ReadOnlyArray(positions.map { train.columns[$0] }))
  }

  /// Ã `[N, N]` from the interactions at these positions.
  ///
  /// - Parameter positions: ascending.
  package func adjacency(keeping positions: [Int]) -> SparseMatrix {
    let userItem = SparseMatrix(ones: kept(positions)).normalized(
      addingToDegrees: GraphNormalization.guarded.addend)
    return SparseMatrix(userToItem: userItem, itemToUser: userItem.transposed)
  }
}

extension AdjacencyList {
  /// The row of a pair, by its position in ``columns``.
  fileprivate func row(of position: Int) -> Int {
    var (low, high) = (0, rowCount)
    while low < high {
      let middle = (low + high) / 2
      if offsets[middle + 1] <= position { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Double {
  /// Whole numbers in the order of the numbers, for all that are not NaN.
  fileprivate var ordered: UInt64 {
    bitPattern >> 63 == 0 ? bitPattern | 1 << 63 : ~bitPattern
  }
}
