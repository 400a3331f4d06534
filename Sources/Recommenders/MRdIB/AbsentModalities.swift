import Datasets
import Tensors

/// The items that lack a modality, with `missing` prior: nothing is known of their code but the
/// prior, so that it is the prior's mean, 0. They have no divergence, and no part in the terms of
/// that modality alone and of its redundancy with others.
///
/// A backbone whose score contains content has the same 0 in place of μ, so that it ranks as it was
/// trained: in evaluations, recommendations and exports a modality that an item lacks says nothing.
/// The joint likelihood stays: with a code of 0, the other modalities explain the preference.
struct AbsentModalities: Sendable {
  /// By modality; nil where all items have it, empty if all have all.
  let masks: [FeatureMask?]

  init(masks: [FeatureMask?]) { self.masks = masks }

  /// - Parameter features: by modality; nil for one that is not read.
  init(_ features: [FeatureMatrix?]) { self.init(masks: features.map { $0?.priorMask }) }

  /// Whether there are any.
  var isAny: Bool { masks.contains { $0 != nil } }

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

  /// The rows of the items that have a modality, in a matrix of their own if some lack it.
  ///
  /// - Parameter x: one row for each of `items`.
  func known(_ x: Matrix, of items: [Int32], _ modality: Int) -> Matrix {
    let rows = items.indices.filter { isPresent(items[$0], modality) }
    return rows.count < x.rows ? x.gathered(rows.map { Int32(truncatingIfNeeded: $0) }) : x
  }

  /// The codes, with 0 for the items that lack a modality; no gradient passes there.
  ///
  /// - Parameter x: one row for each of `items`.
  func clearing(_ x: Variable, of items: [Int32], _ modality: Int, on tape: Tape) -> Variable {
    guard mask(modality) != nil else { return x }
    return tape.keepingRows(x) { isPresent(items[$0], modality) }
  }

  /// The vectors of all items, with 0 for the items that lack a modality; no gradient passes there.
  ///
  /// - Parameters:
  ///   - x: one row for each item, after rows of something else.
  ///   - first: the row of the first item.
  func clearing(_ x: Variable, _ modality: Int, itemsFrom first: Int = 0, on tape: Tape) -> Variable
  {
    guard mask(modality) != nil else { return x }
    return tape.keepingRows(x) { $0 < first || isPresent(Int32($0 - first), modality) }
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

extension FeatureMatrix {
  /// Which items have the modality, where the prior stands for the others; nil if all have it, or
  /// the others have features in its place.
  var priorMask: FeatureMask? { missing == .prior ? mask : nil }
}

extension Tape {
  /// x with zeros in some rows.
  fileprivate func keepingRows(_ x: Variable, _ isKept: (Int) -> Bool) -> Variable {
    let factors = matrix(rows: x.rows, columns: x.columns)
    for row in 0..<x.rows {
      (factors.pointer + row * x.columns)
        .update(repeating: isKept(row) ? 1 : 0, count: x.columns)
    }
    return hadamard(x, constant(factors))
  }
}
