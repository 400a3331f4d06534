import Configuration
import Datasets
import Recommenders
import Settings
import Tables
import Tensors

/// The vectors of the modalities that a run's model scores with, for all items: what
/// `mrdib decompose` measures.
package struct RunCodes: Sendable {
  /// Which vectors.
  package enum Stage: String, Sendable, Codable {
    /// μ_m of the best model.
    case trained
    /// μ_m of the same model before training.
    case initial
    /// The data set's features, without a model.
    case features
  }

  package let codes: [ModalityCodes]
  package let dataset: Dataset
  package let model: String
  /// Of the best model; nil for other codes.
  package let epoch: Int?

  /// - Parameters:
  ///   - run: its directory.
  ///   - dataFolder: where the data is, if it was moved after training.
  /// - Throws: errors with a sentence when the run, its model or its data cannot be used, or the
  ///   model has no vectors per modality.
  package init(run: String, stage: Stage, dataFolder: String?) throws {
    // First, because its messages say what a folder without a model is.
    _ = try BestModel.read(run: run)
    let trained = try TrainedData(
      run: run, moved: dataFolder, for: "decompose '\(run)'", alternative: nil)
    let dataset = trained.dataset
    self.dataset = dataset
    model = trained.configuration.model.model
    let name = model
    guard !dataset.features.isEmpty else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot decompose '\(run)': its model, \(name), uses no modality. Name a run of a "
          + "model with modalities, such as vbpr.")
    }
    if stage == .features {
      codes = dataset.featureCodes
      epoch = nil
      return
    }
    let setup = try RunSetup(configuration: trained.configuration, dataset: dataset)
    let backbone = setup.model.backbone
    let items = (0..<dataset.itemCount).map { Int32($0) }
    let means: [Matrix]
    if stage == .initial {
      epoch = nil
      means = backbone.contentMeans(
        of: items, context: StepContext(seed: setup.seed, epoch: 0, step: 0)
      ) { table, row, values in
        backbone.fillInitial(table: table, row: row, seed: setup.seed, values)
      }
    } else {
      let read = try BestModel.using(run: run) { best in
        (
          Int(best.epoch),
          try best.tables(Set(backbone.tables.indices), of: backbone.tables, run: run)
        )
      }
      epoch = read.0
      means = backbone.contentMeans(
        of: items, context: StepContext(seed: setup.seed, epoch: read.0, step: 0)
      ) { table, row, values in
        _ = values.update(fromContentsOf: read.1[table].row(row))
      }
    }
    guard means.count == dataset.features.count else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot decompose '\(run)': its model, \(name), has no vectors per modality. Use "
          + "--features to measure the data set's features, or name a run of another model.")
    }
    codes = zip(dataset.features, means).map { ModalityCodes(name: $0.name, vectors: $1) }
    try check("'\(run)'")
  }

  /// The features of a data set.
  ///
  /// - Throws: errors with a sentence when the data cannot be used.
  package init(features folder: String) throws {
    dataset = try Dataset.load(folder: folder, needsFeatures: true)
    model = "none"
    epoch = nil
    codes = dataset.featureCodes
    guard !codes.isEmpty else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot decompose the data in '\(folder)': it has no modality. Add features with "
          + "mrdib data features.")
    }
  }

  private func check(_ run: String) throws {
    for code in codes where !code.isFinite {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot decompose \(run): its vectors of \(code.name) have numbers that are not "
          + "finite: training diverged. Train again with a smaller learning rate.")
    }
  }
}

extension Dataset {
  /// The features themselves as codes.
  fileprivate var featureCodes: [ModalityCodes] {
    features.map { feature in
      let matrix = Matrix(rows: feature.rows, columns: feature.columns)
      for row in 0..<feature.rows {
        feature.copyRow(row, to: matrix.pointer + row * feature.columns)
      }
      return ModalityCodes(name: feature.name, vectors: matrix)
    }
  }
}
