import Datasets
import Recommenders
import Tensors

/// The distributions of σ and of the divergence per dimension of a run's best model, by modality.
package struct ModalityHistograms: Sendable {
  /// The most items whose codes are computed, evenly spread.
  private static let mostItems = 2048

  private let run: String
  private let model: TrainingModel
  private let items: [Int32]
  private let seed: UInt64

  /// - Returns: nil for a model without MRdIB: it has no codes.
  package init?(run: String, setup: RunSetup) {
    guard setup.model.objective != nil else { return nil }
    self.run = run
    model = setup.model
    seed = setup.seed
    let count = setup.dataset.itemCount
    let stride = max(1, (count + Self.mostItems - 1) / Self.mostItems)
    items = Swift.stride(from: 0, to: count, by: stride).map(Int32.init)
  }

  /// The values of the best model's file.
  ///
  /// - Returns: none if it is of another epoch by now.
  /// - Throws: errors with a sentence when it cannot be read.
  func values(epoch: UInt32) throws -> [(tag: String, value: EventMessage.Value)] {
    let best = try BestModel.read(run: run)
    guard best.epoch == epoch else { return [] }
    let count = model.backbone.tables.count + (model.objective?.tables.count ?? 0)
    let specs = Array(model.tables[..<count])
    // Mapped: of millions of rows, a few thousand are needed.
    let weights = try InitialWeights(path: "\(run)/\(best.folder)/\(BestModel.parametersName)")
    try weights.check(fit: specs)
    let context = StepContext(seed: seed, epoch: Int(epoch), step: 0)
    let codes = model.codeDistributions(of: items, context: context) { table, row, values in
      guard let target = values.baseAddress else { return }
      weights.copy(row..<row + 1, of: specs[table], to: target)
    }
    return codes.flatMap { code in
      [("sigma", code.deviations), ("kl_per_dimension", code.divergences)].compactMap {
        name, values in
        ValueHistogram(values).map { ("codes/\(name).\(code.modality)", .histogram($0)) }
      }
    }
  }
}
