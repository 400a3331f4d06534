import Files

/// Explains why ``InteractionLineScanner`` rejected a line.
enum InteractionDiagnosis {
  /// - Parameter line: the line with its line end, if it has one.
  static func explain(_ line: UnsafeRawBufferPointer, roles: [InteractionHeader.Role]) -> String {
    var bytes = Array(line)[...]
    let isCutOff = bytes.last != UInt8(ascii: "\n")
    if !isCutOff { bytes = bytes.dropLast() }
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    let fields = bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let suffix =
      isCutOff ? "; the file ends here without a line end, so it was probably cut off" : ""
    guard fields.count == roles.count else {
      let found = bytes.isEmpty ? "is blank" : "has \(fields.count) fields"
      return "\(found), but the header has \(roles.count) columns (separated by tabs)\(suffix)"
    }
    for (field, role) in zip(fields, roles) {
      if let problem = explain(field, role: role) { return problem + suffix }
    }
    return "has a carriage return inside the line; save the file with plain line ends\(suffix)"
  }

  private static func explain(_ field: String, role: InteractionHeader.Role) -> String? {
    switch role {
    case .ignored: nil
    case .user: explainID(field, of: "user")
    case .item: explainID(field, of: "item")
    case .label: explainLabel(field)
    case .rating: explainRating(field)
    case .time: explainNumber(field, of: "timestamp")
    }
  }

  private static func explainID(_ field: String, of kind: String) -> String? {
    let largest = InteractionFile.largestID
    let advice = "number the \(kind)s 0, 1, 2, …"
    let shown = "'\(field.sanitized(atMost: 32))'"
    let digits = field.hasPrefix("-") ? field.dropFirst() : field[...]
    let isNumber =
      !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0 }
    if field.isEmpty { return "has an empty \(kind) id; \(advice)" }
    guard isNumber else {
      return "has the \(kind) id \(shown), which is not a whole number; \(advice)"
    }
    if field.hasPrefix("-") { return "has the negative \(kind) id \(shown); \(advice)" }
    if field.utf8.count > 10 || (Int(field) ?? .max) > Int(largest) {
      return "has the \(kind) id \(shown), above the largest possible, \(largest); \(advice)"
    }
    return nil
  }

  private static func explainNumber(_ field: String, of column: String) -> String? {
    Array(field.utf8).withUnsafeBytes { DecimalNumber.parse($0) } == nil
      ? "has the \(column) '\(field.sanitized(atMost: 32))', which is not a finite number" : nil
  }

  private static func explainRating(_ field: String) -> String? {
    if let problem = explainNumber(field, of: "rating") { return problem }
    let number = Array(field.utf8).withUnsafeBytes { DecimalNumber.parse($0) } ?? .nan
    return Float(number).isInfinite
      ? "has the rating '\(field.sanitized(atMost: 32))', which is too large" : nil
  }

  private static func explainLabel(_ field: String) -> String? {
    let parts = field.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let isLabel =
      ["0", "1", "2"].contains(parts[0]) && (parts.count == 1 || parts[1].allSatisfy { $0 == "0" })
    return isLabel
      ? nil
      : "has the x_label '\(field.sanitized(atMost: 32))'; it must be 0 (train), 1 (validation) or "
        + "2 (test)"
  }
}
