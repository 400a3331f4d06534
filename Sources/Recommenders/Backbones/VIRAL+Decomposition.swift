import Datasets
import Tensors

/// What a step records of the decomposition. It reads what the step has computed anyway: a few
/// products per row, next to the blocks' thousands.
extension VIRAL {
  /// The names of the statistics.
  private enum Statistic {
    /// A part's share of the score. With a redundancy there are `share.redundant`,
    /// `share.unique.MODALITY` of both and `share.synergy`, else `share.BLOCK`. They add up to 1.
    static func share(_ part: String) -> String { "share.\(part)" }
    /// The share of a modality's features that is redundant.
    static func redundant(_ modality: String) -> String { "redundant.\(modality)" }
  }

  /// What ``statistics(_:)`` needs of all items: their mean vector `[1, blocks · d]` and, with a
  /// redundancy r, cos²(t, r) and cos²(v, r) of each, `[I, 2]`.
  ///
  /// - Parameters:
  ///   - items: Î.
  ///   - fused: r and the features that it is of; nil without a redundancy.
  package func decomposition(
    on tape: Tape, items: Variable, of fused: (text: Variable, vision: Variable, r: Variable)?
  ) -> [Variable] {
    let mean = tape.matrix(rows: 1, columns: items.columns)
    var sums = [Double](repeating: 0, count: items.columns)
    for row in 0..<items.rows {
      for (column, value) in items.value.row(row).enumerated() { sums[column] += Double(value) }
    }
    for column in sums.indices {
      mean.pointer[column] = Float(sums[column] / Double(max(1, items.rows)))
    }
    guard let fused else { return [tape.constant(mean)] }
    let overlaps = tape.matrix(rows: items.rows, columns: 2)
    let sources = [fused.text.value, fused.vision.value]
    let (r, width) = (fused.r.value, fused.r.columns)
    Lanes.current.forEachRange(of: items.rows, elements: 6 * width) { rows in
      for row in rows {
        let redundant = r.pointer + row * width
        let length = BLAS.dot(redundant, redundant, count: width)
        for (column, source) in sources.enumerated() {
          let own = source.pointer + row * width
          let product = BLAS.dot(own, redundant, count: width)
          let lengths = BLAS.dot(own, own, count: width) * length
          overlaps.pointer[2 * row + column] = lengths > 0 ? min(1, product * product / lengths) : 0
        }
      }
    }
    return [tape.constant(mean), tape.constant(overlaps)]
  }

  /// How much of the score each part of an item makes up, for the batch's interactions (u, p):
  ///
  ///     share_b = mean |s_b| / Σ_b |s_b|,  s_b = ⟨Û_u, Î_p − mean_i Î_i⟩ over the columns of b
  ///
  /// In `full` v' is unique to vision. The model has no such part of text: what text contributes is
  /// counted as redundant by cos²(t_p, r_p), the share of its features' squared length along the
  /// redundancy, and else as unique to text. `redundant.*` are the means of these cosines over all
  /// items.
  public func statistics(_ input: BatchInput) -> [String: Double] {
    let batch = input.batch
    let (users, items) = (input.propagated[0].value, input.propagated[1].value)
    let all = input.propagated.suffix(redundancyNames == nil ? 1 : 2).map(\.value)
    let mean = all[0]
    var result: [String: Double] = [:]
    func add(_ part: String, _ value: Float) {
      result[Statistic.share(part), default: 0] += Double(value) / Double(max(1, batch.globalCount))
    }
    for (user, item) in zip(batch.users, batch.positives) {
      let (u, i) = (users.row(Int(user)), items.row(Int(item)))
      let sizes = blockColumns.map { columns in
        abs(columns.reduce(Float(0)) { $0 + u[$1] * (i[$1] - mean.pointer[$1]) })
      }
      let total = sizes.reduce(0, +)
      for (block, size) in zip(blockSources, sizes) {
        let share = total > 0 ? size / total : 0
        guard let names = redundancyNames else {
          add(block.name, share)
          continue
        }
        switch block.source {
        case .synergy: add(block.name, share)
        case .vision: add("unique.\(names.vision)", share)
        case .text:
          let redundant = share * all[1].pointer[2 * Int(item)]
          add("redundant", redundant)
          add("unique.\(names.text)", share - redundant)
        }
      }
    }
    if let names = redundancyNames {
      for (column, name) in [names.text, names.vision].enumerated() {
        var sum = 0.0
        for row in 0..<all[1].rows { sum += Double(all[1].pointer[2 * row + column]) }
        result[Statistic.redundant(name)] =
          sum / Double(max(1, all[1].rows)) * Double(batch.share)
      }
    }
    return result
  }
}
