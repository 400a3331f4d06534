import Files

/// Parses lines into interactions. For speed it only detects that a line is invalid;
/// ``InteractionDiagnosis`` then finds the reason.
struct InteractionLineScanner {
  struct Row {
    let user: Int32
    let item: Int32
    let label: SplitLabel
  }

  private static let tab = UInt8(ascii: "\t")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let bytes: UnsafeRawBufferPointer
  private let roles: [InteractionHeader.Role]
  /// Where the next line begins.
  private(set) var position = 0

  init(bytes: UnsafeRawBufferPointer, roles: [InteractionHeader.Role]) {
    self.bytes = bytes
    self.roles = roles
  }

  /// Whether nothing but line ends is left.
  var isAtEnd: Bool {
    var index = position
    while index < bytes.count {
      guard bytes[index] == Self.lineFeed || bytes[index] == Self.carriageReturn else {
        return false
      }
      index += 1
    }
    return true
  }

  /// Reads one line and moves past it; nil if it is not a whole, well-formed interaction.
  mutating func next() -> Row? {
    var user: Int32 = 0
    var item: Int32 = 0
    var label = SplitLabel.train
    for (column, role) in roles.enumerated() {
      switch role {
      case .ignored:
        skipField()
      case .user:
        guard let id = readID() else { return rejectLine() }
        user = id
      case .item:
        guard let id = readID() else { return rejectLine() }
        item = id
      case .label:
        guard let value = readLabel() else { return rejectLine() }
        label = value
      }
      let isLast = column == roles.count - 1
      guard isLast ? takeLineEnd() : take(Self.tab) else { return rejectLine() }
    }
    return Row(user: user, item: item, label: label)
  }

  private mutating func readID() -> Int32? {
    let start = position
    var value: UInt64 = 0
    // Eleven digits cannot overflow, and are one more than the largest id has.
    while position < bytes.count, position - start < 11 {
      let digit = bytes[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      value = value * 10 + UInt64(digit)
      position += 1
    }
    guard position > start, value <= UInt64(InteractionFile.largestID) else { return nil }
    return Int32(truncatingIfNeeded: value)
  }

  /// `0`, `1` or `2`; some exporters write `0.0`.
  private mutating func readLabel() -> SplitLabel? {
    guard position < bytes.count, bytes[position] >= UInt8(ascii: "0"),
      let label = SplitLabel(rawValue: bytes[position] - UInt8(ascii: "0"))
    else { return nil }
    position += 1
    if take(UInt8(ascii: ".")) {
      while take(UInt8(ascii: "0")) {}
    }
    return label
  }

  private mutating func skipField() {
    while position < bytes.count {
      let byte = bytes[position]
      if byte == Self.tab || byte == Self.lineFeed || byte == Self.carriageReturn { return }
      position += 1
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  /// A line ends with LF, with CR LF, or with the file.
  private mutating func takeLineEnd() -> Bool {
    if take(Self.lineFeed) { return true }
    let start = position
    if take(Self.carriageReturn) && (position == bytes.count || take(Self.lineFeed)) {
      return true
    }
    position = start
    return position == bytes.count
  }

  private mutating func rejectLine() -> Row? {
    while position < bytes.count, bytes[position] != Self.lineFeed { position += 1 }
    _ = take(Self.lineFeed)
    return nil
  }
}

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
