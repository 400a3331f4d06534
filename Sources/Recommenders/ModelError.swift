/// A model cannot be built from this data and configuration.
public struct ModelError: Error, CustomStringConvertible {
  public let description: String

  public init(description: String) { self.description = description }
}
