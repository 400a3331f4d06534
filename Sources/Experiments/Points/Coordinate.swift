/// What one of many runs has that others have not: a setting and its value, or the name of a
/// variant.
public struct Coordinate: Sendable, Hashable, Codable {
  /// The name under which seeds stand: runs that differ in nothing else are repetitions.
  static let seed = "seed"

  public let name: String
  public let value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

extension [Coordinate] {
  /// All but the seed: what the repetitions of an experiment share.
  var acrossSeeds: [Coordinate] { filter { $0.name != Coordinate.seed } }

  /// The value under a name.
  func value(of name: String) -> String? { first { $0.name == name }?.value }

  /// `alpha1=0.05 seed=1`.
  var text: String { map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}

extension [[Coordinate]] {
  /// All names, each once, in the order in which they appear.
  var names: [String] {
    joined().map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }
}
