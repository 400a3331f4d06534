/// Something that lists what there is of a kind by name, such as the optimizers.
public protocol NameRegistry: Sendable {
  /// The names in settings, the default first.
  static var names: [String] { get }
}

/// One of the names of a registry, as the value of a setting.
public struct RegisteredName<Registry: NameRegistry>: SettingChoice {
  public static var allCases: [Self] { Registry.names.map(Self.init(known:)) }

  public let rawValue: String

  /// Nil if the registry has no such name.
  public init?(rawValue: String) {
    guard Registry.names.contains(rawValue) else { return nil }
    self.init(known: rawValue)
  }

  private init(known name: String) { rawValue = name }

  /// - Precondition: the registry is not empty.
  public static var standard: Self { allCases[0] }
}
