import Files
import Recommenders
import Settings

/// A kind of item features and the file that holds them, written `visual:image_feat.npy`.
package struct Modality: SettingScalar {
  /// Names the modality in parameters and reports.
  package let name: String
  /// A file name inside the data set's folder.
  package let file: String

  package init(name: String, file: String) {
    self.name = name
    self.file = file
  }

  package static var expectation: String { "name:file" }

  package var yaml: String { "\(name):\(file)".yaml }

  package init(reading word: String) throws(UnreadableValue) {
    guard let colon = word.firstIndex(of: ":") else { throw UnreadableValue() }
    let name = word[..<colon]
    let file = word[word.index(after: colon)...]
    guard !file.isEmpty, !name.isEmpty,
      name.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) })
    else {
      throw UnreadableValue(advice: "a name consists of a–z, 0–9 and _")
    }
    self.init(name: String(name), file: String(file))
  }
}

/// A metric by its name; upper case is accepted.
package struct MetricName: SettingChoice {
  package static let allCases = Metric.all.map { Self(known: $0.name) }
  static let standard = Metric.standard.map { Self(known: $0.name) }

  package let rawValue: String

  package init?(rawValue: String) {
    guard let metric = Metric.named(rawValue.lowercased()) else { return nil }
    self.init(known: metric.name)
  }

  private init(known name: String) { rawValue = name }
}

extension RunConfiguration {
  /// The metrics that are computed by default, in the order in which metrics are listed.
  package var metrics: [Metric] {
    let names = Set(self.selection.metrics.map(\.rawValue))
    return Metric.all.filter { names.contains($0.name) }
  }
}

/// A metric at a cutoff, written `recall@20`; upper case is accepted.
package struct SelectionMetric: SettingScalar {
  /// The metrics that a run can be selected by.
  package static let names = Metric.all.filter(\.ranksModels).map(\.name)

  /// One of ``names``.
  package let name: String
  /// K.
  package let cutoff: Int

  init(_ metric: Metric, at cutoff: Int) { self.init(metric.name, at: cutoff) }

  private init(_ name: String, at cutoff: Int) {
    self.name = name
    self.cutoff = cutoff
  }

  package static var expectation: String {
    "a metric such as recall@20 (\(names.joined(separator: ", ")))"
  }

  package var yaml: String { "\(name)@\(cutoff)" }

  package init(reading word: String) throws(UnreadableValue) {
    let parts = word.lowercased().split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let name = parts.first, let cutoff = parts.last.flatMap({ Int($0) }),
      cutoff > 0
    else { throw UnreadableValue() }
    guard Self.names.contains(String(name)) else {
      let nearest = NearestName.find(String(name), among: Self.names)
      throw UnreadableValue(advice: nearest.map { "did you mean '\($0)@\(cutoff)'?" })
    }
    self.init(String(name), at: cutoff)
  }
}

/// Constraints of the settings of a run.
extension Constraint where Value == String {
  /// Processes with other working directories use the path, and no shell expands a `~` in it.
  static var absolutePathOrStoreOrEmpty: Constraint {
    Constraint("an absolute path, s3://BUCKET/PREFIX, or empty") {
      $0.isEmpty || $0.hasPrefix("/") || S3Location($0) != nil
    }
  }

  /// Processes with other working directories use the path.
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
  /// Names must differ, because parameters are named after modalities.
  static var distinctNames: Constraint {
    Constraint("every name once") { modalities in
      Set(modalities.map(\.name)).count == modalities.count
    }
  }
}
