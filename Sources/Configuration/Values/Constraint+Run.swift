import Settings

/// Constraints of settings that only a run has.
extension Constraint where Value == String {
  /// Processes with other working directories use the path, and no shell expands a `~` in it.
  static var absolutePathOrEmpty: Constraint {
    Constraint("an absolute path, or empty") { $0.isEmpty || $0.hasPrefix("/") }
  }

  /// As data sets compute it. Older releases wrote 16 digits of another algorithm.
  static var contentDigestOrEmpty: Constraint {
    Constraint(
      "xxh128: and 32 hexadecimal digits (older releases wrote other digests), or "
        + "empty to take the data as it is"
    ) { $0.isEmpty || $0.wholeMatch(of: /xxh128:[0-9a-f]{32}/) != nil }
  }
}

extension Constraint where Value == [MetricName] {
  static var eachOnce: Constraint {
    Constraint("every name once") { Set($0.map(\.rawValue)).count == $0.count }
  }
}

extension Constraint where Value == [Modality] {
  /// No name twice: parameters are named after modalities.
  static var distinctNames: Constraint {
    Constraint("every name once") { modalities in
      Set(modalities.map(\.name)).count == modalities.count
    }
  }
}
