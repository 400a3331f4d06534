internal import Foundation

/// Reads a folder stage by stage. ``Dataset/load(folder:modalities:needsFeatures:)`` stops at the
/// first problem; ``DatasetValidation`` continues up to its limit.
struct DatasetReader {
  /// What the features are read for.
  enum FeatureUse {
    /// A model needs them: there must be some.
    case required
    /// They are checked if there are any.
    case checked
    /// The model does not need them. Their row counts are still read, so that all models agree on
    /// the number of items.
    case countedOnly
  }

  let folder: String
  let modalities: [ModalityDescription]?
  let featureUse: FeatureUse
  let treatment: FeatureTreatment
  /// Where large texts are kept in binary form; nil: every text is parsed.
  let cache: InteractionCache?
  private(set) var log: ProblemLog

  init(
    folder: String, modalities: [ModalityDescription]?, featureUse: FeatureUse, problemLimit: Int,
    treatment: FeatureTreatment = FeatureTreatment(), cache: InteractionCache? = nil
  ) {
    self.folder = folder
    self.modalities = modalities
    self.featureUse = featureUse
    self.treatment = treatment
    self.cache = cache
    log = ProblemLog(limit: problemLimit)
  }

  /// - Returns: the data set, or nil if the log holds problems.
  /// - Throws: the last problem when the log is full.
  mutating func read() throws(DatasetError) -> Dataset? {
    let (folder, modalities) = (folder, modalities)
    let description = try log.attempt { _ throws(DatasetError) in
      try DatasetDescription.read(folder: folder, modalities: modalities)
    }
    guard let description else { return nil }
    if let dataset = try readPrepared(description) { return dataset }
    let path = description.path(of: description.interactionsFile)
    let interactions = try readInteractions(path)
    let files = try openFeatures(description)
    let features = try readFeatures(files, description)
    guard let interactions, interactions.count > 0 else { return nil }
    let extents = files.map { ItemExtent(source: $0.file.path, rows: $0.file.rows) }
    let itemCount = try ItemExtent.itemCount(of: interactions, covering: extents, log: &log)
    guard log.problems.isEmpty else { return nil }
    let dataset = try Dataset(
      name: description.name, checked: SplitInteractions(interactions, itemCount: itemCount),
      source: DigestedFile(path: path), features: features, itemCount: itemCount,
      description: description, treatment: treatment)
    try dataset.checkNegativesExist(in: interactions, log: &log)
    return log.problems.isEmpty ? dataset : nil
  }

  /// The data set from the binary form of its interactions.
  ///
  /// - Returns: nil if there is none, or the data set has a problem that the reader of the text
  ///   explains.
  private mutating func readPrepared(
    _ description: DatasetDescription
  ) throws(DatasetError) -> Dataset? {
    let path = description.path(of: description.interactionsFile)
    guard let cache, let (prepared, source) = try? cache.interactions(of: path) else { return nil }
    let files = try openFeatures(description)
    let features = try readFeatures(files, description)
    let extents = files.map { ItemExtent(source: $0.file.path, rows: $0.file.rows) }
    guard log.problems.isEmpty, let itemCount = prepared.itemCount(covering: extents) else {
      return nil
    }
    let dataset = try Dataset(
      name: description.name, checked: prepared.split(itemCount: itemCount), source: source,
      features: features, itemCount: itemCount, description: description, treatment: treatment)
    return dataset.usersWithWholePool.isEmpty ? dataset : nil
  }

  private mutating func readInteractions(_ path: String) throws(DatasetError) -> Interactions? {
    try log.attempt { log throws(DatasetError) in
      let interactions = try InteractionFile.read(path, log: &log)
      if interactions.count > 0 { try InteractionChecks.checkAll(interactions, log: &log) }
      return interactions
    }
  }

  private mutating func openFeatures(
    _ description: DatasetDescription
  ) throws(DatasetError) -> [(modality: ModalityDescription, file: NPYFile)] {
    if featureUse == .required && description.modalities.isEmpty {
      let looked = ModalityDescription.standard.map(\.file).joined(separator: " and ")
      try log.report(
        DatasetError(
          .notFound, path: folder,
          "holds no features, which this model needs: looked for \(looked); add some with "
            + "mrdib data features FOLDER --add text=FILE, list other files under modalities in "
            + "dataset.yaml, or choose a model without features, such as bpr"))
    }
    var files: [(modality: ModalityDescription, file: NPYFile)] = []
    for modality in description.modalities {
      let path = description.path(of: modality.file)
      if featureUse == .countedOnly && !FileManager.default.fileExists(atPath: path) { continue }
      let file = try log.attempt { _ throws(DatasetError) in try NPYFile(path: path) }
      if let file { files.append((modality, file)) }
    }
    return files
  }

  private mutating func readFeatures(
    _ files: [(modality: ModalityDescription, file: NPYFile)], _ description: DatasetDescription
  ) throws(DatasetError) -> [FeatureMatrix] {
    guard featureUse != .countedOnly else { return [] }
    var features: [FeatureMatrix] = []
    for (modality, file) in files {
      let matrix = try log.attempt { _ throws(DatasetError) in
        try FeatureMatrix(
          name: modality.name, file: file,
          neighbours: NeighbourLists.readAll(forFeatures: file.path, itemCount: file.rows),
          mask: modality.mask.map { mask throws(DatasetError) in
            try FeatureMask.read(description.path(of: mask), itemCount: file.rows)
          }, acceptsNaNRows: treatment.acceptsNaNRows)
      }
      if let matrix { features.append(matrix) }
    }
    return features
  }
}

extension Dataset {
  /// Reads a folder in MMRec's layout (``DatasetDescription``). Features stay in their files.
  ///
  /// - Parameters:
  ///   - modalities: replaces the folder's own list, if not nil.
  ///   - needsFeatures: whether to read the features. If not, ``features`` is empty and the feature
  ///     files only determine the number of items.
  ///   - treatment: what is made of the features.
  ///   - cache: keeps the interactions of large texts in binary form; nil: they are parsed.
  /// - Throws: ``DatasetError`` with the first problem found.
  public static func load(
    folder: String, modalities: [ModalityDescription]? = nil, needsFeatures: Bool,
    treatment: FeatureTreatment = FeatureTreatment(), cache: InteractionCache? = nil
  ) throws(DatasetError) -> Dataset {
    var reader = DatasetReader(
      folder: folder, modalities: modalities,
      featureUse: needsFeatures ? .required : .countedOnly, problemLimit: 1, treatment: treatment,
      cache: cache)
    guard let dataset = try reader.read() else {
      preconditionFailure("a reader that stops at the first problem returned without one")
    }
    return dataset
  }
}
