internal import CKernels

/// One update of the rows of a table: what to do with a row and its summed gradient.
enum RowUpdate {
  case sgd(rate: Float)
  case adagrad(rate: Float, epsilon: Float)
  case adam(AdamUpdate)
  /// The pushed values replace the row at its first update and are mixed in afterwards.
  case average(rate: Float)
}

/// Adam at one of its steps, with the steps before it for the rows that missed some.
struct AdamUpdate {
  let constants: mrdib_adam_constants
  let mode: AdamMode
  /// Of steps 1, 2, … of the group; the last is the update's own.
  let steps: [mrdib_adam_step]
}
