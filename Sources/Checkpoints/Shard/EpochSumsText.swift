import Foundation
package import Messages

/// The sums of an epoch as text that gives back every bit: numbers are written as texts in Swift's
/// shortest form that is exact.
package enum EpochSumsText {
  private struct Sums: Codable {
    let unit: UInt32
    let sums: [String: String]
  }

  package static func encode(_ reports: [UnitReport]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let sums = reports.map { Sums(unit: $0.unit, sums: $0.sums.mapValues { "\($0)" }) }
    return String(decoding: try encoder.encode(sums), as: UTF8.self)
  }

  /// nil if the text is not one of sums.
  package static func decode(_ text: String) -> [UnitReport]? {
    guard let reports = try? JSONDecoder().decode([Sums].self, from: Data(text.utf8)) else {
      return nil
    }
    var result: [UnitReport] = []
    for report in reports {
      var sums: [String: Double] = [:]
      for (name, text) in report.sums {
        guard let value = Double(text) else { return nil }
        sums[name] = value
      }
      result.append(UnitReport(unit: report.unit, sums: sums))
    }
    return result
  }
}
