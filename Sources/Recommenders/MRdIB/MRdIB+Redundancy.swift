import Datasets
import Tables
import Tensors

extension MRdIB {
  static let discriminatorName = "discriminator"

  /// The redundancy of every pair of modalities, and the discriminators' own objectives.
  func recordRedundancy(
    on tape: Tape, _ encoded: [Variable], parameters: [Variable], batch: TripletBatch,
    context: StepContext, into loss: inout Loss, firstTable: Int
  ) -> [LossTerm] {
    guard weights.redundancy != 0 else { return [] }
    let rows =
      pairs == .positives
      ? batch.distinctPositiveItemIndex : (0..<Int32(batch.distinctItems.count)).map { $0 }
    guard rows.count >= 2 else {
      // Too few items for a shuffled pair: keep the running averages unchanged.
      let averages = parameters[layout.pairAverages].value
      let share = loss.average(firstTable + layout.pairAverages, of: tables[layout.pairAverages])
      for index in 0..<averages.count {
        share.pointer[index] = averages.pointer[index] * batch.share
      }
      return []
    }
    // Of all pairs alike, as long as no item lacks a modality.
    let shared = absence.masks.contains { $0 != nil } ? nil : encoded.map { tape.gather($0, rows) }
    var terms: [LossTerm] = []
    for (index, pair) in layout.pairs.enumerated() {
      let averages = parameters[layout.pairAverages].value
      let both = rows.filter { row in
        let item = batch.distinctItems[Int(row)]
        return absence.isPresent(item, pair.left) && absence.isPresent(item, pair.right)
      }
      guard both.count >= 2 else {
        let average = loss.average(
          firstTable + layout.pairAverages, of: tables[layout.pairAverages])
        for column in 0..<2 { average[index, column] = averages[index, column] * batch.share }
        continue
      }
      let (left, right) =
        shared.map { ($0[pair.left], $0[pair.right]) }
        ?? (tape.gather(encoded[pair.left], both), tape.gather(encoded[pair.right], both))
      let shift = noise.shift(count: both.count, pair: index, context: context)
      // Both averages are 0 until the first step has been counted.
      let isCounted = averages[index, 0] != 0 || averages[index, 1] != 0
      let recorded = estimator.record(
        on: tape, left: left, right: right,
        discriminator: Array(parameters[pair.discriminator]), shift: shift,
        average: isCounted && averages[index, 0] > 0 ? averages[index, 0] : nil)
      let estimate = recorded.estimate.scalar
      let running = isCounted ? averages[index, 1] : estimate
      let average = loss.average(firstTable + layout.pairAverages, of: tables[layout.pairAverages])
      average[index, 0] = (recorded.meanExponential ?? 0) * batch.share
      average[index, 1] = estimate * batch.share
      terms.append(
        .estimated(
          "redundancy.\(pair.name)", recorded.estimate, weight: weights.redundancy,
          share: batch.share,
          gradientWeight: estimator.isVacuous(running) ? 0 : weights.redundancy
        ).asAuxiliary())
      loss.statistics["redundancy_running.\(pair.name)"] = Double(running) * Double(batch.share)
      if let discriminatorLoss = recorded.discriminatorLoss {
        terms.append(
          .estimated(
            Self.discriminatorName, discriminatorLoss, weight: 0, share: batch.share,
            gradientWeight: 1
          ).asAuxiliary())
      }
    }
    return terms
  }
}

extension Loss {
  /// This shard's share of an average table; zeros on first use.
  mutating func average(_ table: Int, of spec: TableSpec) -> Matrix {
    if let matrix = averages[table] { return matrix }
    let matrix = Matrix(rows: spec.rows, columns: spec.width)
    averages[table] = matrix
    return matrix
  }
}
