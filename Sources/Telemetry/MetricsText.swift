/// The text in which metrics are read.
///
/// There are two: OpenMetrics 1.0 (specification of the OpenMetrics project, section "Text
/// format"), which scrapers ask for in `Accept`, and the older text of Prometheus 0.0.4, which
/// `promtool check metrics` and the textfile collector of the node exporter read.
package enum MetricsText: Sendable {
  case openMetrics
  case prometheus

  package var contentType: String {
    switch self {
    case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
    }
  }

  /// The text for a header `Accept`: OpenMetrics where it is named.
  package init(accepting header: String?) {
    self = header?.contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
  }

  /// - Parameter families: each name once.
  package func encode(_ families: [MetricFamily]) -> [UInt8] {
    var text = ""
    for family in families { add(family, to: &text) }
    if self == .openMetrics { text += "# EOF\n" }
    return Array(text.utf8)
  }

  private func add(_ family: MetricFamily, to text: inout String) {
    let name = self == .openMetrics ? family.name : sampleName(family)
    let kind = self == .prometheus && family.kind == .info ? "gauge" : family.kind.rawValue
    text += "# HELP \(name) \(escaped(family.help, quotes: self == .openMetrics))\n"
    text += "# TYPE \(name) \(kind)\n"
    if self == .openMetrics, let unit = family.unit { text += "# UNIT \(name) \(unit)\n" }
    for sample in family.samples {
      switch sample.value {
      case .number(let value):
        text += "\(sampleName(family))\(labels(sample.labels)) \(Self.number(value))\n"
      case .histogram(let histogram): add(histogram, of: family, sample.labels, to: &text)
      }
    }
  }

  private func add(
    _ histogram: Histogram, of family: MetricFamily, _ own: [MetricFamily.Label],
    to text: inout String
  ) {
    var count: UInt64 = 0
    for (index, inRange) in histogram.counts.enumerated() {
      count += inRange
      let bound = index < histogram.bounds.count ? "\(histogram.bounds[index])" : "+Inf"
      text += "\(family.name)_bucket\(labels(own + [.init("le", bound)])) \(count)\n"
    }
    text += "\(family.name)_sum\(labels(own)) \(Self.number(histogram.sum))\n"
    text += "\(family.name)_count\(labels(own)) \(count)\n"
  }

  private func sampleName(_ family: MetricFamily) -> String {
    switch family.kind {
    case .counter: "\(family.name)_total"
    case .info: "\(family.name)_info"
    case .gauge, .histogram: family.name
    }
  }

  private func labels(_ labels: [MetricFamily.Label]) -> String {
    guard !labels.isEmpty else { return "" }
    let list = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
    return "{\(list.joined(separator: ","))}"
  }

  private func escaped(_ text: String, quotes: Bool) -> String {
    // Most texts.
    guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x22 || $0 == 0x0A }) else { return text }
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  /// Without loss; whole numbers without a point.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 9e15 { return "\(Int64(value))" }
    return "\(value)"
  }
}
