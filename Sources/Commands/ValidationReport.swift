import Datasets

/// What `data validate --json` prints.
struct ValidationReport: Encodable {
  /// Why the data set cannot be used.
  struct Problem: Encodable {
    let file: String
    /// From 1; `null` where a problem has no line.
    let line: Int?
    /// `notFound`, `unreadable`, `malformed`, `inconsistent`, `configuration` and others.
    let kind: DatasetError.Kind
    let message: String

    private enum Key: String, CodingKey { case file, line, kind, message }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(file, forKey: .file)
      try container.encode(line, forKey: .line)
      try container.encode(kind, forKey: .kind)
      try container.encode(message, forKey: .message)
    }
  }

  /// Raised when a key changes its meaning or is removed.
  private static let schemaVersion = 1

  private let validation: DatasetValidation
  private let folder: String

  init(_ validation: DatasetValidation, folder: String) {
    self.validation = validation
    self.folder = folder
  }

  private enum Key: String, CodingKey {
    case schemaVersion = "schema_version"
    case isUsable = "usable"
    case isUsableWithFeatures = "usable_with_features"
    case isUsableWithoutFeatures = "usable_without_features"
    case isCutShort = "more_problems"
    case folder, problems, warnings, statistics
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.schemaVersion, forKey: .schemaVersion)
    try container.encode(folder, forKey: .folder)
    try container.encode(validation.isUsable, forKey: .isUsable)
    try container.encode(validation.isUsableWithFeatures, forKey: .isUsableWithFeatures)
    try container.encode(validation.isUsableWithoutFeatures, forKey: .isUsableWithoutFeatures)
    try container.encode(validation.isCutShort, forKey: .isCutShort)
    let problems = validation.problems.map {
      Problem(file: $0.path, line: $0.line, kind: $0.kind, message: $0.message)
    }
    try container.encode(problems, forKey: .problems)
    try container.encode(validation.warnings, forKey: .warnings)
    // `null` if there are problems.
    try container.encode(validation.statistics, forKey: .statistics)
  }
}
