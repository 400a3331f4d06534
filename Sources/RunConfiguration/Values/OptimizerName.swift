internal import ParameterServer

/// An optimizer by its name in the registry.
public struct OptimizerName: ConfigurationChoice {
  public static let allCases = OptimizerRegistry.names.map(Self.init(known:))
  static let standard = allCases[0]

  public let rawValue: String

  public init?(rawValue: String) {
    guard OptimizerRegistry.names.contains(rawValue) else { return nil }
    self.init(known: rawValue)
  }

  private init(known name: String) { rawValue = name }
}
