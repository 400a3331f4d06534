import Datasets
internal import Foundation
import Tables
import Tensors

/// How the Gaussian codes of some items are distributed, in one modality; those of items that lack
/// it are the prior and not counted.
package struct CodeDistribution: Sendable {
  package let modality: String
  /// σ = e^{ℓ/2} of every item and dimension, `[items · D]`, in the unit of the codes.
  package let deviations: [Float]
  /// The divergence from the prior of every item, per dimension, `[items]`, in nats.
  package let divergences: [Float]
}

extension TrainingModel {
  /// The codes of some items by modality, as MRdIB's encoders make them of the tables; none without
  /// MRdIB.
  ///
  /// The scale of ``CodeScale/relative`` is that of these items; in training it is that of a
  /// batch's.
  ///
  /// - Parameters:
  ///   - items: ascending, each once.
  ///   - context: names the random graph of models that have one.
  ///   - fill: writes a row of a table: those of the backbone are followed by the objective's.
  package func codeDistributions(
    of items: [Int32], context: StepContext,
    fill: (_ table: Int, _ row: Int, _ values: UnsafeMutableBufferPointer<Float>) -> Void
  ) -> [CodeDistribution] {
    guard let objective else { return [] }
    let means = backbone.contentMeans(of: items, context: context, fill: fill)
    let own = objective.tables.enumerated().map { table, spec in
      let matrix = Matrix(rows: spec.rows, columns: spec.width)
      for row in 0..<spec.rows { fill(backbone.tables.count + table, row, matrix.row(row)) }
      return matrix
    }
    return means.enumerated().map { modality, mean in
      objective.distribution(
        modality, of: objective.absence.known(mean, of: items, modality), tables: own)
    }
  }
}

extension MRdIB {
  fileprivate func distribution(
    _ modality: Int, of mean: Matrix, tables: [Matrix]
  ) -> CodeDistribution {
    let tape = Tape()
    let parameters = tables.map { tape.constant($0) }
    let mean = headed(tape.constant(mean), modality, parameters, on: tape)
    let (scale, size) = scale(of: mean.value)
    let logVariance = logVariance(
      of: mean, modality, parameters, scale: scale, on: tape)
    let prior = priorDeviation(modality, parameters, size: size)
    // As Tape.gaussianDivergence, row by row.
    let precision = 1 / (prior * prior)
    let meanPrecision = precision / (scale * scale)
    let logPrecision = log(precision)
    var deviations: [Float] = []
    deviations.reserveCapacity(mean.value.count)
    let divergences = (0..<mean.rows).map { row -> Float in
      var total = 0.0
      for (m, l) in zip(mean.value.row(row), logVariance.value.row(row)) {
        let variance = exp(l)
        deviations.append(variance.squareRoot())
        total += Double(m * m * meanPrecision + variance * precision - 1 - l - logPrecision)
      }
      return Float(0.5 * total / Double(max(1, mean.columns)))
    }
    return CodeDistribution(
      modality: modalities[modality], deviations: deviations, divergences: divergences)
  }
}
