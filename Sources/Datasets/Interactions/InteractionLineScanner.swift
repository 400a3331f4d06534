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
  /// The rating and the time of the last line, NaN where its field was empty; only if they have a
  /// role.
  private(set) var rating = Double.nan
  private(set) var time = Double.nan

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
      case .rating:
        // Ratings are kept as `Float`, where a larger one would become infinite.
        guard let value = readNumber(), !Float(value).isInfinite else { return rejectLine() }
        rating = value
      case .time:
        guard let value = readNumber() else { return rejectLine() }
        time = value
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

  /// A finite number; NaN if the field is empty.
  private mutating func readNumber() -> Double? {
    let start = position
    skipField()
    return DecimalNumber.parse(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
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
