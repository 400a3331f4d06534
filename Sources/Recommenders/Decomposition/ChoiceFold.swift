import Tensors

/// One of several divisions of the items into those that predictors are fitted on and those that
/// they are measured on.
///
/// Codes with many columns identify their item. A predictor that was fitted on an item then knows
/// it by its number: it would find in one modality what the other says, and more than an observer
/// who knows the generative model. Held-out items count only what holds for items in general.
struct ChoiceFold {
  static let count = 4

  /// Interactions of all items: their histories say what a user likes.
  let whole: ChoiceData
  /// Interactions of the items that predictors are fitted on.
  let fitted: ChoiceData
  /// Interactions of the others, which are the candidates of each other.
  let heldOut: ChoiceData
  /// Ascending.
  let heldOutItems: [Int32]
  /// Of all items.
  let codes: [ModalityCodes]
  /// Of the items that predictors are fitted on.
  let fittedCodes: [ModalityCodes]

  /// - Parameters:
  ///   - codes: standardized.
  ///   - folds: of the items, ``count`` of them.
  init(_ index: Int, of folds: ItemFolds, _ codes: [ModalityCodes], _ data: ChoiceData) {
    let items = (0..<data.itemCount).map { Int32($0) }
    let fittedItems = items.filter { folds.fold(of: Int($0)) != index }
    whole = data
    heldOutItems = items.filter { folds.fold(of: Int($0)) == index }
    fitted = data.restricted(to: fittedItems)
    heldOut = data.restricted(to: heldOutItems)
    self.codes = codes
    fittedCodes = codes.map { code in
      ModalityCodes(name: code.name, vectors: code.vectors.gathered(fittedItems))
    }
  }
}

extension Matrix {
  /// Some rows, `[rows.count, columns]`.
  func gathered(_ rows: [Int32]) -> Matrix {
    let result = Matrix(rows: rows.count, columns: columns)
    for (position, row) in rows.enumerated() {
      _ = result.row(position).update(fromContentsOf: self.row(Int(row)))
    }
    return result
  }
}
