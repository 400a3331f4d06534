import Files
import Recommenders
import Settings

/// A metric at a cutoff, written `recall@20`; upper case is accepted.
package struct SelectionMetric: SettingScalar {
  /// What can be selected by.
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
