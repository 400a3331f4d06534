import Messages
import Models
import RunConfiguration

extension RunConfiguration {
  /// The configuration that a coordinator sent along.
  ///
  /// - Throws: `ConfigurationError` when this program does not know it.
  public init(_ welcome: Welcome) throws {
    self = try ConfigurationResolver(modelNames: ModelRegistry.names).resolve(layers: [
      ConfigurationLayer(yaml: welcome.configuration, label: "the coordinator's configuration")
    ])
  }
}
