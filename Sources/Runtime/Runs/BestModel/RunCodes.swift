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

  /// Of the items that have all modalities, see ``items``.
  package let codes: [ModalityCodes]
  /// The items that are measured, ascending: what stands in place of a modality that an item lacks
  /// says nothing about it.
  package let items: [Int32]
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
      items = try dataset.itemsToDecompose("'\(run)'", having: dataset.features.map(\.name))
      codes = dataset.featureCodes(of: items)
      epoch = nil
      return
    }
    let setup = try RunSetup(configuration: trained.configuration, dataset: dataset)
    let backbone = setup.model.backbone
    // A model may use some of the modalities, in an order of its own.
    let names = backbone.contentModalities ?? dataset.features.map(\.name)
    items = try dataset.itemsToDecompose("'\(run)'", having: names)
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
    guard means.count == names.count, !means.isEmpty else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot decompose '\(run)': its model, \(name), has no vectors per modality. Use "
          + "--features to measure the data set's features, or name a run of another model.")
    }
    codes = zip(names, means).map { ModalityCodes(name: $0, vectors: $1) }
    try check("'\(run)'")
  }

  /// The features of a data set.
  ///
  /// - Throws: errors with a sentence when the data cannot be used.
  package init(features folder: String) throws {
    dataset = try Dataset.load(folder: folder, needsFeatures: true)
    model = "none"
    epoch = nil
    guard !dataset.features.isEmpty else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot decompose the data in '\(folder)': it has no modality. Add features with "
          + "mrdib data features.")
    }
    items = try dataset.itemsToDecompose(
      "the data in '\(folder)'", having: dataset.features.map(\.name))
    codes = dataset.featureCodes(of: items)
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
  fileprivate func featureCodes(of items: [Int32]) -> [ModalityCodes] {
    features.map { feature in
      let matrix = Matrix(rows: items.count, columns: feature.columns)
      feature.gather(items, into: matrix.pointer)
      return ModalityCodes(name: feature.name, vectors: matrix)
    }
  }

  /// The items that have all of some modalities, ascending.
  ///
  /// - Parameter subject: what is decomposed, for the error.
  /// - Throws: ``RuntimeError`` if there are too few to fit anything.
  fileprivate func itemsToDecompose(_ subject: String, having names: [String]) throws -> [Int32] {
    let needed = features.filter { names.contains($0.name) }
    let items = (0..<itemCount).filter { item in needed.allSatisfy { $0.isPresent(item) } }
    guard items.count > 1 else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot decompose \(subject): \(items.count) of its \(itemCount) items have all "
          + "modalities (\(names.joined(separator: ", "))), and only these are "
          + "measured. Name a run with fewer modalities.")
    }
    return items.map { Int32($0) }
  }
}
