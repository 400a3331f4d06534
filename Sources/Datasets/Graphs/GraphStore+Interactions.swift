internal import Foundation
import Tensors

extension GraphStore {
  /// R̂ `[U, I]`: `1 / √(d_u d_i)` for every training interaction.
  public func userItem(_ normalization: GraphNormalization) -> SparseMatrix {
    cache.kept("user-item-\(normalization.rawValue)") {
      SparseMatrix(ones: dataset.train).normalized(addingToDegrees: normalization.addend)
    }
  }

  /// Â `[N, N]`: R̂ above the diagonal and its transpose below.
  public func adjacency(_ normalization: GraphNormalization) -> SparseMatrix {
    cache.kept("adjacency-\(normalization.rawValue)") {
      let userItem = userItem(normalization)
      return SparseMatrix(userToItem: userItem, itemToUser: userItem.transposed)
    }
  }

  /// D⁻¹A `[N, N]`: the mean over a node's neighbours; nodes without any have empty rows.
  public func meanAdjacency() -> SparseMatrix {
    cache.kept("mean-adjacency") {
      let ones = SparseMatrix(ones: dataset.train)
      return SparseMatrix(
        userToItem: ones.averagingRows(), itemToUser: ones.transposed.averagingRows())
    }
  }

  /// D⁻¹(A + 1) `[N, N]`, where D counts a node itself too: the mean over a node and its
  /// neighbours, as in LATTICE.
  public func meanAdjacencyWithLoops() -> SparseMatrix {
    cache.kept("mean-adjacency-loops") {
      let ones = SparseMatrix(ones: dataset.train)
      let adjacency = SparseMatrix(userToItem: ones, itemToUser: ones.transposed)
      let loops = SparseMatrix(
        rows: adjacency.rows, columns: adjacency.rows,
        offsets: (0...adjacency.rows).map { Int64($0) },
        indices: (0..<adjacency.rows).map { Int32($0) },
        values: [Float](repeating: 1, count: adjacency.rows))
      return SparseMatrix.sum([(weight: 1, matrix: adjacency), (weight: 1, matrix: loops)])
        .averagingRows()
    }
  }

  /// FREEDOM's Ã `[N, N]`: a sample of the training interactions, normalised by the degrees within
  /// the sample + 1e-7. The same in every process for the same seed and epoch.
  ///
  /// - Parameter dropout: ρ, the share of interactions to leave out (see ``InteractionSampling``).
  /// - Precondition: `0 <= dropout < 1`.
  public func sampledAdjacency(dropout: Double, seed: UInt64, epoch: Int) -> SparseMatrix {
    cache.recent("sampled-\(dropout)-\(seed)-\(epoch)") {
      let sampling = InteractionSampling(dataset.train)
      return sampling.adjacency(
        keeping: sampling.draw(dropout: dropout, seed: seed, epoch: epoch))
    }
  }
}

/// The degrees in `1 / √(d_u · d_i)`.
public enum GraphNormalization: String, Sendable, CaseIterable {
  /// Degrees + 1e-7 against division by zero, as in LightGCN and FREEDOM.
  case guarded
  /// Plain degrees, as in MGCN, SOIL and DualGNN.
  case exact

  /// What is added to each degree.
  var addend: Double { self == .guarded ? 1e-7 : 0 }
}

/// FREEDOM's degree-sensitive edge pruning: every epoch keeps some training interactions, drawn
/// without replacement with probabilities proportional to `ω = 1 / √(d_u d_i)`.
///
/// Drawing one after the other without replacement is the same as taking the largest of
/// `ln ω_e + g_e` with independent Gumbel numbers g: one pass, in which each interaction's number
/// depends only on seed, epoch and its position among the training interactions by user and item.
///
/// - Source: Zhou and Shen 2023, "A Tale of Two Graphs" (FREEDOM), section 3.2; Efraimidis and
///   Spirakis 2006 for sampling by keys.
package struct InteractionSampling {
  private let train: AdjacencyList
  private let users: [Int32]
  private let degrees: (user: [Double], item: [Double])

  package init(_ train: AdjacencyList) {
    self.train = train
    users = train.rowOfEachPair
    let ones = SparseMatrix(ones: train)
    let addend = GraphNormalization.guarded.addend
    degrees = (ones.rowSums.map { $0 + addend }, ones.columnSums.map { $0 + addend })
  }

  /// ω of every interaction, `[E]`, by user and item.
  package var weights: [Double] {
    zip(users, train.columns).map { user, item in
      1 / (degrees.user[Int(user)] * degrees.item[Int(item)]).squareRoot()
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
    let weights = weights
    let kept = Self.keptCount(of: weights.count, dropout: dropout)
    let random = CounterRandom(seed: seed, stream: .edgeSample, epoch: epoch)
    let keys = weights.indices.map { position in
      let words = random.words(id: position)
      // 53 bits, shifted by half a step so that the value is never 0 or 1.
      let bits = (UInt64(words.x) << 32 | UInt64(words.y)) >> 11
      let uniform = (Double(bits) + 0.5) * 0x1p-53
      return log(weights[position]) - log(-log(uniform))
    }
    let best = keys.indices.sorted { (keys[$1], $0) < (keys[$0], $1) }
    return best.prefix(kept).sorted()
  }

  /// Ã `[N, N]` from the interactions at these positions.
  package func adjacency(keeping positions: [Int]) -> SparseMatrix {
    let kept = AdjacencyList(
      rowCount: train.rowCount, columnCount: train.columnCount,
      pairs: positions.lazy.map { (users[$0], train.columns[$0]) })
    let userItem = SparseMatrix(ones: kept).normalized(
      addingToDegrees: GraphNormalization.guarded.addend)
    return SparseMatrix(userToItem: userItem, itemToUser: userItem.transposed)
  }
}
