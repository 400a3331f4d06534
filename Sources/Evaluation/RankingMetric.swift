/// What a ranking is judged by, each at a cutoff K. Let hit(r) be 1 if the item at rank r is among
/// the user's m items, else 0.
///
/// - Source: MMRec (enoche/MMRec e775373), whose definitions differ from others in the literature
///   in what they divide by.
public enum RankingMetric: String, Sendable, CaseIterable {
  /// Σ_{r≤K} hit(r) / m. The divisor is m even when it is above K.
  case recall
  /// Σ_{r≤K} hit(r) / K.
  case precision
  /// Σ_{r≤K} hit(r) / log₂(r+1), divided by the same sum for a perfect list of min(K, m) hits.
  case ndcg
  /// Σ_{r≤K} hit(r) · (hits up to r) / r, divided by min(K, m).
  case map

  /// The name under which a value is reported: `recall@20`.
  public func name(at cutoff: Int) -> String { "\(rawValue)@\(cutoff)" }
}
