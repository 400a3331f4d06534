/// The key table: every setting that exists, by section.
public struct ConfigurationKeys: Sendable {
  public let data: DataKeys = .init()
  public let model: ModelKeys = .init()
  public let training: TrainingKeys = .init()
  public let optimizers: OptimizerKeys = .init()
  public let selection: SelectionKeys = .init()
  public let mrdib: MRdIBKeys = .init()
  public let redundancy: RedundancyKeys = .init()
  public let cluster: ClusterKeys = .init()
  public let checkpoints: CheckpointKeys = .init()

  static let table = ConfigurationKeys()

  /// The sections in the order in which they are declared.
  static let sections = Mirror(reflecting: table).children.compactMap {
    $0.value as? any ConfigurationSection
  }

  /// All keys, section by section.
  public static let all = sections.flatMap(\.keys)

  /// Keys by name and by alias.
  static let byName = Dictionary(
    all.flatMap { key in ([key.name] + key.aliases).map { ($0, key) } },
    uniquingKeysWith: { first, _ in first })
}
