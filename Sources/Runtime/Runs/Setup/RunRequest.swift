import Configuration
import Datasets
import Files
import Foundation
import Recommenders
import Settings

/// The user's request for a run: data, settings files and single settings.
package struct RunRequest: Sendable {
  /// A command-line option for one setting, such as `--epochs 5`.
  package struct Option: Sendable {
    let option: String
    let key: String
    let value: String

    package init(option: String, key: String, value: String) {
      self.option = option
      self.key = key
      self.value = value
    }
  }

  /// The data set's folder; nil means the generated one.
  package var data: String?
  package var configurationFiles: [String]
  /// `key=value`; later ones take precedence.
  package var assignments: [String]
  package var options: [Option]
  /// Settings that variables of the environment name; above those of files, below all others.
  package var surroundings: [Option] = []

  package init(
    data: String?, configurationFiles: [String] = [], assignments: [String] = [],
    options: [Option] = []
  ) {
    self.data = data
    self.configurationFiles = configurationFiles
    self.assignments = assignments
    self.options = options
  }

  /// Resolves the settings, from the built-in defaults to the options; loads no data.
  ///
  /// - Throws: `ConfigurationError`, or `DatasetError` when the default data cannot be generated.
  package func resolve() throws -> RunConfiguration { try resolve(requestedLayers()) }

  /// The names of all models.
  package static var modelNames: [String] { ModelRegistry.names }

  /// Files, variables, assignments and options as layers, lowest first.
  ///
  /// - Throws: `ConfigurationError`.
  package func requestedLayers() throws -> [ConfigurationLayer] {
    try configurationFiles.map { try ConfigurationLayer(file: $0) }
      + surroundings.map {
        try ConfigurationLayer(option: $0.option, key: $0.key, value: $0.value)
      }
      + assignments.map { try ConfigurationLayer(assignment: $0) }
      + options.map { try ConfigurationLayer(option: $0.option, key: $0.key, value: $0.value) }
  }

  /// Resolves the settings with other layers than this request's, lowest first.
  ///
  /// - Throws: as ``resolve()``.
  package func resolve(_ requested: [ConfigurationLayer]) throws -> RunConfiguration {
    try ConfigurationResolver(modelNames: ModelRegistry.names)
      .resolve(requested: requested)
  }

  /// Loads the data and builds the model.
  ///
  /// - Parameter showsProgress: whether the building of graphs is shown on stderr.
  /// - Throws: errors with a sentence when settings or data are wrong.
  package func load(showsProgress: Bool = false) throws -> RunSetup {
    try input(requestedLayers()).setup(showsProgress: showsProgress)
  }

  /// Resolves the settings and loads the data. The resulting configuration has the folder and the
  /// data's digest, so that every node of the run can check its own copy.
  ///
  /// - Parameters:
  ///   - requested: layers in place of this request's, lowest first.
  ///   - others: inputs whose data is used again if these settings need the same.
  /// - Throws: errors with a sentence when settings or data are wrong.
  package func input(
    _ requested: [ConfigurationLayer], reusing others: [RunInput] = []
  ) throws -> RunInput {
    let configuration = try resolve(requested)
    let folder = try folder(configuration)
    let dataset =
      try others.lazy.compactMap { $0.dataset(in: folder, for: configuration) }.first
      ?? Dataset.load(folder: folder, for: configuration, showsProgress: true)
    let stored = configuration.data.digest
    guard stored.isEmpty || stored == dataset.digest else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use the data in '\(folder)': its digest is \(dataset.digest), but "
          + "data_digest is \(stored). Use the data that the configuration was made for, or "
          + "remove data_digest.")
    }
    var identity = [
      try ConfigurationLayer(option: "the data set", key: "data", value: folder.yaml),
      try ConfigurationLayer(
        option: "the data set", key: "data_digest", value: dataset.digest.yaml),
    ]
    identity += try initialWeights(of: configuration, for: folder)
    return RunInput(configuration: try resolve(requested + identity), dataset: dataset)
  }

  /// The file that the run begins with and its digest, if settings name a run or a file.
  private func initialWeights(
    of configuration: RunConfiguration, for folder: String
  ) throws -> [ConfigurationLayer] {
    var path = configuration.data.initialWeights
    guard !path.isEmpty else { return [] }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot begin with the weights in '\(path)': there is no such run or file. Name "
          + "the directory of an earlier run.")
    }
    if isFolder.boolValue {
      let model = try EarlierModel(run: path)
      try model.checkIdentifiers(of: folder)
      path = model.parameters
    }
    var named = [("initial_weights", path)]
    // A digest that is recorded is compared when the run is set up.
    if configuration.data.initialWeightsDigest.isEmpty {
      named.append(("initial_weights_digest", try InitialWeights(path: path).digest))
    }
    return try named.map {
      try ConfigurationLayer(option: "initial_weights", key: $0, value: $1.yaml)
    }
  }

  private func folder(_ configuration: RunConfiguration) throws -> String {
    if let folder = data ?? (configuration.data.folder.isEmpty ? nil : configuration.data.folder) {
      return FilePath.absolute(folder)
    }
    guard let cache = UserFolder.cache else {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot generate the standard data: this user has no home directory for it. Name "
          + "a data set with --data, or a folder with XDG_CACHE_HOME.")
    }
    do {
      return try SyntheticData.defaultFolder(in: cache)
    } catch {
      guard error.kind == .unwritable else { throw error }
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the generated standard data: \(error) Name a data set with --data, "
          + "or a writable folder with XDG_CACHE_HOME.")
    }
  }
}

/// Resolved settings and loaded data of a run, without the model.
package struct RunInput: Sendable {
  package let configuration: RunConfiguration
  package let dataset: Dataset

  /// Builds the model.
  ///
  /// - Throws: `ModelError` when the settings do not fit the data.
  package func setup(showsProgress: Bool = false) throws -> RunSetup {
    try RunSetup(
      configuration: configuration, dataset: dataset, showsProgress: showsProgress)
  }

  /// This data, if loading it for other settings would give the same; else nil.
  func dataset(in folder: String, for other: RunConfiguration) -> Dataset? {
    configuration.data.folder == folder
      && configuration.data.modalities == other.data.modalities
      && configuration.featureTreatment == other.featureTreatment
      && ModelRegistry.needsFeatures(configuration.model.model)
        == ModelRegistry.needsFeatures(other.model.model)
      ? dataset : nil
  }
}
