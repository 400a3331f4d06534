/// Holm's step-down correction of p-values for the number of tests in a table: with it the
/// probability that *any* true null hypothesis of the table is rejected is at most the level.
///
/// With the m p-values ascending, p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎). It needs no
/// assumption on how the tests depend on each other.
///
/// - Source: Holm 1979, "A simple sequentially rejective multiple test procedure", Scandinavian
///   Journal of Statistics 6; the numbers are those of R's `p.adjust(p, "holm")`.
public enum HolmCorrection {
  /// The corrected p-values, in the order given.
  ///
  /// - Precondition: no value is NaN.
  public static func corrected(_ pValues: [Double]) -> [Double] {
    precondition(pValues.allSatisfy { !$0.isNaN })
    let order = pValues.indices.sorted { (pValues[$0], $0) < (pValues[$1], $1) }
    var corrected = pValues
    var largest = 0.0
    for (rank, index) in order.enumerated() {
      largest = max(largest, min(1, Double(pValues.count - rank) * pValues[index]))
      corrected[index] = largest
    }
    return corrected
  }
}
