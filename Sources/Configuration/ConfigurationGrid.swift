import Files
import Settings

/// A grid of settings: the product of the values of some keys.
///
///     learning_rate: [1e-3, 1e-4]
///     seed: [999, 1, 2]
///     topk: [5, 20]
///     hyper_parameters: [learning_rate, seed]
///
/// names six runs; `topk`, which `hyper_parameters` does not list, stays one value that is a list.
/// A later layer replaces the values of an earlier one, also a grid by a single value.
///
/// - Source: the convention of MMRec's configuration files.
package struct ConfigurationGrid: Sendable {
  /// The key that lists the names of the others.
  static let keyName = "hyper_parameters"

  /// The most points that a grid may have. More could not be trained in reasonable time.
  static let largestCount = 10_000

  /// A setting and its values, in the order written.
  package struct Axis: Sendable {
    /// The key's name, also where an alias was written.
    package let name: String
    package let values: [Value]
  }

  /// One value of an axis.
  package struct Value: Sendable {
    package let name: String
    /// As the key writes it: `0.005` for `5e-3`.
    package let value: String
    /// The entry that sets the key to the value, with its source.
    package let layer: ConfigurationLayer

    package init(name: String, value: String, layer: ConfigurationLayer) {
      self.name = name
      self.value = value
      self.layer = layer
    }
  }

  /// In the order in which `hyper_parameters` lists them.
  package let axes: [Axis]
  /// The user's other settings, lowest layer first.
  package let layers: [ConfigurationLayer]
  /// Lists of values that a later layer replaced by a single value, each as a sentence for a
  /// warning.
  package let replacedLists: [String]

  /// Separates the grid from the user's other settings.
  ///
  /// - Parameter requested: layers of the user, lowest first; without `hyper_parameters` the grid
  ///   has no axes and one point.
  /// - Throws: `ConfigurationError` for an unknown or repeated name in `hyper_parameters`, a listed
  ///   key without values, an equal value twice, or more than 10,000 points. Values that
  ///   contradict other settings are found when a point is resolved.
  package init(requested: [ConfigurationLayer]) throws {
    let lists = requested.compactMap { $0.entries.last { $0.name == Self.keyName } }
    let plain = requested.map { layer in
      ConfigurationLayer(entries: layer.entries.filter { $0.name != Self.keyName })
    }
    let keys = try lists.last.map(Self.listedKeys) ?? []
    let names = Set(keys.map(\.key.name))
    var written: [String: ConfigurationLayer.Entry] = [:]
    var replaced: [String: String] = [:]
    layers = try plain.map { layer in
      var rest: [ConfigurationLayer.Entry] = []
      for (key, entry) in try layer.keyedEntries() {
        guard names.contains(key.name) else {
          rest.append(entry)
          continue
        }
        let before = written.updateValue(entry, forKey: key.name)
        replaced[key.name] = before.flatMap { Self.replacement(of: $0, by: entry) }
      }
      return ConfigurationLayer(entries: rest)
    }
    replacedLists = replaced.sorted { $0.key < $1.key }.map(\.value)
    axes = try keys.map { key, source in
      guard let entry = written[key.name] else {
        throw ConfigurationError(
          source,
          "\(Self.keyName) lists '\(key.name)', but nothing gives it values; add a line such as"
            + " '\(key.name): [\(key.defaultOfRuns.yaml)]'")
      }
      return Axis(name: key.name, values: try Self.values(of: key, in: entry))
    }
    var count = 1
    for axis in axes {
      count *= axis.values.count
      guard count <= Self.largestCount else {
        throw ConfigurationError(
          lists.last?.valueSource,
          "this grid has more than \(Self.largestCount) points; list fewer values, or search one"
            + " setting after the other (--coordinate)")
      }
    }
  }

  /// All points: one value of each axis, the last axis changing fastest.
  package var points: [[Value]] {
    axes.reduce([[]]) { points, axis in
      points.flatMap { point in axis.values.map { point + [$0] } }
    }
  }

  /// Says that a single value replaces several; nil if it does not.
  private static func replacement(
    of list: ConfigurationLayer.Entry, by entry: ConfigurationLayer.Entry
  ) -> String? {
    guard list.elements.count > 1, entry.elements.count == 1 else { return nil }
    return "\(entry.valueSource): the only value of \(entry.name) replaces the "
      + "\(list.elements.count) values of the grid (\(list.valueSource))"
  }

  /// The keys that an entry `hyper_parameters` lists, with where.
  private static func listedKeys(
    _ list: ConfigurationLayer.Entry
  ) throws -> [(key: ConfigurationKey, source: ConfigurationSource)] {
    guard !list.value.isNull else { return [] }
    var seen: Set<String> = []
    return try list.elements.map { element in
      guard case .scalar(let name, _) = element.value, !element.value.isNull else {
        throw ConfigurationError(
          element.valueSource,
          "\(keyName) holds \(element.value.shown); expected names of settings")
      }
      let key = try ConfigurationKeys.find(name, element.valueSource)
      guard seen.insert(key.name).inserted else {
        throw ConfigurationError(
          element.valueSource, "\(keyName) lists '\(key.name)' more than once; keep one")
      }
      return (key, element.valueSource)
    }
  }

  private static func values(
    of key: ConfigurationKey, in entry: ConfigurationLayer.Entry
  ) throws -> [Value] {
    var seen: [String: ConfigurationSource] = [:]
    let values = try entry.elements.map { element in
      let text = try element.value(for: key).yaml
      if let earlier = seen.updateValue(element.valueSource, forKey: text) {
        throw ConfigurationError(
          element.valueSource,
          "\(entry.name) has the value \(text.sanitized()) more than once (also \(earlier)); "
            + "keep one")
      }
      return Value(name: key.name, value: text, layer: ConfigurationLayer(entries: [element]))
    }
    guard !values.isEmpty else {
      throw ConfigurationError(
        entry.valueSource,
        "\(entry.name) is an empty list, so the grid has no points; give it values")
    }
    return values
  }
}
