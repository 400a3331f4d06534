/// Keys that belong together. Every stored property that is a ``ConfigurationKey`` is a key: to
/// add one, add a property.
public protocol ConfigurationSection: Sendable {
  /// The heading in help and in the resolved configuration.
  static var title: String { get }
  /// The keys in the order in which they are declared.
  var keys: [any ConfigurationKeyDeclaration] { get }
}

extension ConfigurationSection {
  public var keys: [any ConfigurationKeyDeclaration] {
    Mirror(reflecting: self).children.compactMap { $0.value as? any ConfigurationKeyDeclaration }
  }
}
