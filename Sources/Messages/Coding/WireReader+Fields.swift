internal import Glibc

/// Strings, arrays and enumerations.
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

  /// A case of an enumeration, of which this program knows all.
  func enumeration<Case: RawRepresentable>(
    _ rawValue: UInt32, _ name: String
  ) throws(WireError) -> Case where Case.RawValue == UInt32 {
    guard let value = Case(rawValue: rawValue) else {
      throw malformed("its \(name) has the value \(rawValue), which this program does not know")
    }
    return value
  }

  /// A number of seconds that a timer can use.
  func seconds(_ value: Double, _ name: String) throws(WireError) -> Double {
    guard value.isFinite, value > 0 else {
      throw malformed("its \(name) is \(value) instead of a positive number of seconds")
    }
    return value
  }
}
