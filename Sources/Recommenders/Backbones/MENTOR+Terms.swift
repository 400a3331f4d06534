import Datasets
import Settings
import Tensors

/// The terms of MENTOR's loss that supervise its vectors by themselves.
extension MENTOR {
  /// The names and weights of the terms over all nodes, in the order of ``StepVectors/terms``.
  var termsOfAllNodes: [(name: String, weight: Double)] {
    var terms: [(name: String, weight: Double)] = []
    if settings.alignmentWeight > 0 { terms.append(("align", settings.alignmentWeight)) }
    if settings.maskWeight > 0 { terms.append(("mask", settings.maskWeight)) }
    if settings.contrastiveWeight > 0 && settings.scope == .all {
      terms += ["user", "item"].map { ("contrast.\($0)", settings.contrastiveWeight) }
    }
    return terms
  }

  /// Vectors of all users and items like r, of branches with noise.
  func noisyCopy(
    on tape: Tape, _ copy: Int, _ parameters: [Variable], _ context: StepContext
  ) -> (users: [Variable], items: [Variable]) {
    let vectors = zip(layout.noisy[copy], features.value).enumerated().map { modality, pair in
      spread(on: tape, pair.0, features: tape.constant(pair.1), parameters) { vectors, step in
        let noise = tape.matrix(rows: vectors.rows, columns: vectors.columns)
        draws.noise(
          NoiseDraw(modality: modality, copy: copy, propagation: step), context, noise)
        return tape.addingSignedNoise(vectors, noise, scale: Self.noiseScale)
      }
    }
    return weighted(on: tape, vectors, parameters)
  }

  /// align(guide, r, r_1, …, r_M), `[1, 1]`.
  func alignment(
    on tape: Tape, _ vectors: [Variable],
    _ weighted: (users: [Variable], items: [Variable]), _ parameters: [Variable]
  ) -> Variable {
    let ids = spread(
      on: tape, layout.id, features: parameters[layout.item], parameters
    ) { vectors, _ in vectors }
    let count = vectors.count
    func repeated(_ vectors: Variable, items: Variable) -> [RepeatedPart] {
      [
        RepeatedPart(tape.rows(vectors, 0..<userCount), copies: count),
        RepeatedPart(items, copies: count),
      ]
    }
    return tape.momentAlignment(
      [
        repeated(ids, items: similar(on: tape, ids)),
        (weighted.users + weighted.items).map { RepeatedPart($0) },
      ] + zip(vectors, weighted.items).map { repeated($0, items: $1) })
  }

  /// mask(r), `[1, 1]`.
  func mask(
    on tape: Tape, _ weighted: (users: [Variable], items: [Variable]),
    _ parameters: [Variable], _ context: StepContext
  ) -> Variable {
    let cosines = [(weighted.users, Side.user), (weighted.items, Side.item)].map { blocks, side in
      let joined = tape.concatenateColumns(blocks)
      let vectors = settings.hasMaskGradient ? joined : tape.detached(joined)
      let target = tape.matrix(rows: vectors.rows, columns: vectors.columns)
      draws.mask(side, Float(settings.maskShare), context, target)
      let values = vectors.value
      Lanes.current.forEachRange(of: target.count) { range in
        for index in range { target.pointer[index] *= values.pointer[index] }
      }
      let found = layout.mask.apply(on: tape, vectors, parameters)
      let rows = (0..<Int32(vectors.rows)).map { $0 }
      return tape.mean(
        tape.rowDot(tape.rowL2(tape.constant(target)), rows, tape.rowL2(found), rows))
    }
    let term = tape.sum(
      [(tape.constant(tape.filled(2)), 1)] + cosines.map { (variable: $0, scale: -1) })
    return settings.hasMaskGradient ? term : tape.detached(term)
  }

  /// s of the noise.
  private static let noiseScale: Float = 0.1

  /// The contrastive terms among a batch's users and items.
  func batchContrasts(
    on tape: Tape, _ vectors: StepVectors, _ batch: TripletBatch
  ) -> [LossTerm] {
    guard !vectors.noisy.isEmpty else { return [] }
    return [("user", batch.distinctUsers, 0), ("item", batch.distinctItems, 2)].map {
      name, rows, first in
      .estimated(
        "contrast.\(name)",
        tape.blockedInfoNCE(
          tape.gather(vectors.noisy[first], rows), tape.gather(vectors.noisy[first + 1], rows),
          temperature: Float(settings.temperature)),
        weight: Float(settings.contrastiveWeight), share: batch.share)
    }
  }
}
