/// What the entries of a graph of nearest items are.
public enum NeighbourWeighting: String, Sendable, CaseIterable {
  /// `1 / k`: the mean over the neighbours (FREEDOM).
  case unweighted
  /// `s_ij / √(δ_i δ_j)` with cosine similarities s and their row sums δ (MGCN, SOIL).
  case weighted
}
