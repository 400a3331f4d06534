import Glibc

/// Checks the contents of a received message and describes problems.
struct WireReader {
  let limits: WireLimits
  /// What is being read, such as `a data request`.
  let subject: String

  func malformed(_ found: String, _ advice: String) -> WireError {
    WireError(.malformed, "Cannot read \(subject): \(found); \(advice).")
  }

  /// For errors that only a broken or foreign program causes.
  func malformed(_ found: String) -> WireError {
    malformed(found, "its sender is broken or not mrdib: stop it, or report this")
  }

  func checkVersion(_ version: UInt32) throws(WireError) {
    guard version == ProtocolVersion.current else {
      throw WireError(
        .protocolVersion,
        "Cannot read \(subject): the peer speaks protocol version \(version), this program version"
          + " \(ProtocolVersion.current); start every node from the same mrdib build.")
    }
  }

  func checkCount(_ count: Int, atMost limit: Int, of what: String) throws(WireError) {
    guard count <= limit else {
      throw WireError(
        .limit,
        "Cannot read \(subject): it has \(count) \(what), and at most \(limit) are allowed;"
          + " split it.")
    }
  }

  func checkFrameCount(_ message: WireMessage, is count: Int) throws(WireError) {
    guard message.frames.count == count else {
      throw malformed("it has \(message.frames.count) frames instead of \(count)")
    }
  }

  func checkByteCount(_ frame: Payload, is expected: Int, _ name: String) throws(WireError) {
    guard frame.byteCount == expected else {
      throw malformed(
        "its \(name) frame has \(frame.byteCount) bytes, and its sections need \(expected)")
    }
  }

  /// A required member of a message.
  func required<Value>(
    _ pointer: UnsafeMutablePointer<Value>?, _ name: String
  ) throws(WireError) -> Value {
    guard let pointer else { throw malformed("it has no \(name)") }
    return pointer.pointee
  }
}

/// Strings, arrays, enumerations and numbers.
extension WireReader {
  /// A string of at most ``WireLimits/textBytes`` bytes.
  func text(_ pointer: UnsafeMutablePointer<CChar>?, _ name: String) throws(WireError) -> String {
    try string(pointer, atMost: limits.textBytes, name)
  }

  func string(
    _ pointer: UnsafeMutablePointer<CChar>?, atMost limit: Int, _ name: String
  ) throws(WireError) -> String {
    guard let pointer else { return "" }
    try checkCount(strnlen(pointer, limit + 1), atMost: limit, of: "or more bytes of \(name)")
    guard let string = String(validatingCString: pointer) else {
      throw malformed("its \(name) is not valid UTF-8")
    }
    return string
  }

  /// A packed array of numbers.
  func numbers<Number: BitwiseCopyable>(
    _ pointer: UnsafeMutablePointer<Number>?, count: Int, atMost limit: Int, _ name: String
  ) throws(WireError) -> [Number] {
    try checkCount(count, atMost: limit, of: name)
    return Array(UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : count))
  }

  /// A repeated member, each element read by `read`.
  func list<Element, Value>(
    _ pointer: UnsafeMutablePointer<UnsafeMutablePointer<Element>?>?, count: Int,
    atMost limit: Int, _ name: String,
    read: (UnsafeMutablePointer<Element>) throws(WireError) -> Value
  ) throws(WireError) -> [Value] {
    try checkCount(count, atMost: limit, of: name)
    guard let pointer else { return [] }
    var values: [Value] = []
    values.reserveCapacity(count)
    for index in 0..<count {
      guard let element = pointer[index] else { throw malformed("one of its \(name) is missing") }
      values.append(try read(element))
    }
    return values
  }

  /// A case of an enumeration.
  ///
  /// - Throws: ``WireError`` for a value that this program does not know.
  func enumeration<Case: RawRepresentable>(
    _ rawValue: UInt32, _ name: String
  ) throws(WireError) -> Case where Case.RawValue == UInt32 {
    guard let value = Case(rawValue: rawValue) else {
      throw malformed("its \(name) has the value \(rawValue), which this program does not know")
    }
    return value
  }

  /// A number between `least` and `most`.
  func number<Number: FixedWidthInteger>(
    _ value: Number, _ name: String, from least: Number = 0, upTo most: some FixedWidthInteger
  ) throws(WireError) -> Number {
    guard value >= least, value <= most else {
      throw malformed("its \(name) is \(value), and \(least) to \(most) are allowed")
    }
    return value
  }

  /// A packed array of numbers that are at most `most`.
  func numbers(
    _ pointer: UnsafeMutablePointer<UInt32>?, count: Int, atMost limit: Int, _ name: String,
    upTo most: some FixedWidthInteger
  ) throws(WireError) -> [UInt32] {
    let values: [UInt32] = try numbers(pointer, count: count, atMost: limit, name)
    if let value = values.first(where: { $0 > most }) {
      throw malformed("one of its \(name) is \(value), and 0 to \(most) are allowed")
    }
    return values
  }

  func generation(_ value: UInt64) throws(WireError) -> UInt64 {
    try number(value, "generation", upTo: limits.generations)
  }

  func version(_ value: UInt64, _ name: String = "version") throws(WireError) -> UInt64 {
    try number(value, name, upTo: limits.versions)
  }

  func rank(_ value: UInt32) throws(WireError) -> UInt32 {
    try number(value, "rank", upTo: limits.members - 1)
  }

  /// An epoch, or the number of a block.
  func epochOrBlock(_ value: UInt32, _ name: String) throws(WireError) -> UInt32 {
    try number(value, name, upTo: limits.epochsAndBlocks)
  }

  /// A number of bytes or of finished steps.
  func quantity(_ value: UInt64, _ name: String) throws(WireError) -> UInt64 {
    try number(value, name, upTo: limits.quantity)
  }

  func finite<Number: BinaryFloatingPoint>(
    _ value: Number, _ name: String
  ) throws(WireError) -> Number {
    guard value.isFinite else {
      throw malformed("its \(name) is \(value) instead of a finite number")
    }
    return value
  }

  /// A number of seconds that a timer can use.
  func seconds(
    _ value: Double, _ name: String, upTo most: Double
  ) throws(WireError) -> Double {
    guard value > 0, value <= most else {
      throw malformed("its \(name) is \(value) s, and more than 0 to \(most) s are allowed")
    }
    return value
  }
}
