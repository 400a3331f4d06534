import Datasets
import Tensors

/// The items that lack a modality, for MRdIB: nothing is known of their code but the prior, so that
/// it is the prior's mean, 0. They have no divergence, and no part in the terms of that modality
/// alone and of its redundancy with others.
///
/// The joint likelihood stays: with a code of 0, the other modalities explain the preference.
struct AbsentModalities: Sendable {
  /// By modality; nil where all items have it, empty if all have all.
  let masks: [FeatureMask?]

  func mask(_ modality: Int) -> FeatureMask? {
    masks.indices.contains(modality) ? masks[modality] : nil
  }

  /// Whether an item has a modality.
  func isPresent(_ item: Int32, _ modality: Int) -> Bool {
    mask(modality)?.isPresent[Int(item)] ?? true
  }

  /// The rows of the items that have a modality.
  ///
  /// - Parameter x: one row for each of `items`.
  func known(_ x: Variable, of items: [Int32], _ modality: Int, on tape: Tape) -> Variable {
    guard mask(modality) != nil else { return x }
    let rows = items.indices.filter { isPresent(items[$0], modality) }
    guard rows.count < items.count else { return x }
    return tape.gather(x, rows.map { Int32(truncatingIfNeeded: $0) })
  }

  /// The codes, with 0 for the items that lack a modality; no gradient passes there.
  ///
  /// - Parameter x: one row for each of `items`.
  func clearing(_ x: Variable, of items: [Int32], _ modality: Int, on tape: Tape) -> Variable {
    guard mask(modality) != nil else { return x }
    let factors = tape.matrix(rows: x.rows, columns: x.columns)
    for (row, item) in items.enumerated() {
      let factor: Float = isPresent(item, modality) ? 1 : 0
      (factors.pointer + row * x.columns).update(repeating: factor, count: x.columns)
    }
    return tape.hadamard(x, tape.constant(factors))
  }

  /// The triplets whose two items have a modality; nil for all.
  func triplets(of batch: TripletBatch, _ modality: Int) -> [Int]? {
    guard mask(modality) != nil else { return nil }
    return (0..<batch.count).filter {
      isPresent(batch.positives[$0], modality) && isPresent(batch.negatives[$0], modality)
    }
  }

  /// A choice among the candidates that have a modality.
  ///
  /// - Parameter items: those of the rows that the likelihood counts in.
  func among(_ items: [Int32], _ modality: Int, _ likelihood: Likelihood) -> Likelihood {
    guard mask(modality) != nil, case .candidates(let candidates) = likelihood else {
      return likelihood
    }
    return .candidates(candidates.keeping { isPresent(items[$0], modality) })
  }
}
