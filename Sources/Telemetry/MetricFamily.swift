/// The values of one metric, by label.
///
/// Names begin with `mrdib_`, end in a base unit (`_seconds`, `_bytes`) where there is one, and
/// have no ending for the kind: the text adds `_total` to counters. Labels have few values: a
/// role, a rank, a table, a reason; never a user or an item.
package struct MetricFamily: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Only rises while the process lives.
    case counter
    case gauge
    case histogram
    /// Always 1: its labels are what it has to say. The text adds `_info`.
    case info
  }

  package enum Value: Sendable, Equatable {
    case number(Double)
    case histogram(Histogram)
  }

  package struct Sample: Sendable, Equatable {
    /// In the order in which they are written.
    package var labels: [Label]
    package var value: Value
  }

  package struct Label: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package let name: String
  package let kind: Kind
  /// What is counted, in one sentence with its full stop.
  package let help: String
  package private(set) var samples: [Sample] = []

  package init(_ name: String, _ kind: Kind, _ help: String) {
    self.name = name
    self.kind = kind
    self.help = help
  }

  /// A metric with one value and without labels.
  package init(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    self.init(name, kind, help)
    add([], value)
  }

  package mutating func add(_ labels: [Label], _ value: Double) {
    samples.append(Sample(labels: labels, value: .number(value)))
  }

  package mutating func add(_ labels: [Label], _ histogram: Histogram) {
    samples.append(Sample(labels: labels, value: .histogram(histogram)))
  }

  /// The same with a label added to all values.
  package func labelled(_ labels: [Label]) -> MetricFamily {
    var copy = self
    for index in copy.samples.indices { copy.samples[index].labels += labels }
    return copy
  }

  /// The unit that the name ends in; nil for none.
  package var unit: String? { ["seconds", "bytes"].first { name.hasSuffix("_\($0)") } }

  /// Joins families of one name, which several roles of a process may have: the text lists a name
  /// once. In the order of first appearance.
  package static func joined(_ families: [MetricFamily]) -> [MetricFamily] {
    var result: [MetricFamily] = []
    var places: [String: Int] = [:]
    for family in families where !family.samples.isEmpty {
      if let place = places[family.name] {
        result[place].samples += family.samples
      } else {
        places[family.name] = result.count
        result.append(family)
      }
    }
    return result
  }
}
