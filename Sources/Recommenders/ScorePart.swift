import Tensors

/// A summand of a model's score, such as the one of a modality.
///
/// A score that is a sum, ⟨û_u, î_i⟩ = Σ_p ⟨u_p, i_p⟩, says how much each summand contributes.
/// u_p are some columns of the user's final vector. i_p are the same columns of the item's, or,
/// where these hold the sum of several parts, vectors that follow from the parameters.
public struct ScorePart: Sendable {
  /// Where the vectors i_p come from.
  public enum ItemVectors: Sendable {
    /// They are the part's columns of the items' final vectors.
    case columns
    /// They are computed from tables of the backbone, all rows of them: the vectors of a range of
    /// items, `[range.count, columns.count]`, from all parameters (matrices of no rows for other
    /// tables).
    case computed(
      tables: [Int], compute: @Sendable (_ items: Range<Int>, _ parameters: [Matrix]) -> Matrix)
  }

  /// The name of the part that comes from id vectors, so from interactions alone.
  public static let interactions = "interactions"

  /// The name of a modality, ``interactions``, or what else a model makes of its modalities.
  public let name: String
  /// The columns of the final vectors that the part uses.
  public let columns: Range<Int>
  public let itemVectors: ItemVectors

  public init(name: String, columns: Range<Int>, itemVectors: ItemVectors = .columns) {
    self.name = name
    self.columns = columns
    self.itemVectors = itemVectors
  }
}
