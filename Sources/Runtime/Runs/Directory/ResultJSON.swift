import Foundation

/// The JSON of result files: keys sorted, numbers unrounded, `null` for NaN and infinities.
enum ResultJSON {
  /// UTF-8, with a newline at the end and none elsewhere unless `isPretty`.
  static func encode(_ value: some Encodable, isPretty: Bool) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return try Array(encoder.encode(value)) + [UInt8(ascii: "\n")]
  }

  /// A number that is written as `null` if JSON cannot represent it.
  struct Number: Encodable {
    var value: Double

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
    }
  }

  /// Numbers by name.
  static func numbers(_ values: [String: Double]) -> [String: Number] {
    values.mapValues { Number(value: $0) }
  }

  /// `GROUP.NAME` numbers as objects by group; names without a group go to `rest`.
  static func grouped(_ values: [String: Double], rest: String) -> [String: [String: Number]] {
    var groups: [String: [String: Number]] = [:]
    for (name, value) in values {
      let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
      let (group, key) = parts.count == 2 ? (parts[0], parts[1]) : (rest, name)
      groups[group, default: [:]][key] = Number(value: value)
    }
    return groups
  }
}
