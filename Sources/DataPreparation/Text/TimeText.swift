/// Reads times: seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 dates.
package enum TimeText {
  /// How a time was written.
  package enum Unit: Int, CaseIterable {
    case seconds
    case milliseconds
    case microseconds
    case nanoseconds
    case date

    var words: String {
      switch self {
      case .seconds: "seconds"
      case .milliseconds: "milliseconds"
      case .microseconds: "microseconds"
      case .nanoseconds: "nanoseconds"
      case .date: "dates"
      }
    }

    /// Digits behind the decimal point when the whole number is given in seconds.
    var decimals: Int {
      switch self {
      case .seconds, .date: 0
      case .milliseconds: 3
      case .microseconds: 6
      case .nanoseconds: 9
      }
    }
  }

  /// A time in seconds since 1970, exactly.
  package struct Time: Equatable {
    package var seconds: Int
    /// Nanoseconds that are added to the seconds, 0 ..< 10⁹.
    package var nanoseconds: Int
    package var unit: Unit
  }

  /// - Returns: nil if the text is no time.
  package static func parse(_ bytes: UnsafeRawBufferPointer) -> Time? {
    number(bytes) ?? date(bytes)
  }

  /// A number is in seconds up to 10¹¹ (the year 5138), in milliseconds up to 10¹⁴, and so on: so
  /// all times after March 1973 are recognised.
  private static func number(_ bytes: UnsafeRawBufferPointer) -> Time? {
    var index = 0
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative { index = 1 }
    let start = index
    var value = 0
    while index < bytes.count, index - start < 19, let digit = digit(bytes, index) {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = scaled.addingReportingOverflow(digit)
      guard !overflow, !sumOverflow else { return nil }
      value = sum
      index += 1
    }
    guard index > start else { return nil }
    var fraction = 0
    if index < bytes.count {
      guard bytes[index] == UInt8(ascii: "."), let read = self.fraction(bytes, from: index + 1)
      else { return exponent(bytes) }
      fraction = read
    }
    return time(value, fraction: fraction, isNegative: isNegative)
  }

  /// A number with an exponent, as spreadsheets write large ones.
  private static func exponent(_ bytes: UnsafeRawBufferPointer) -> Time? {
    guard let value = NumberText.finite(bytes), value.magnitude < 1e18 else { return nil }
    return time(Int(value.magnitude), fraction: 0, isNegative: value < 0)
  }

  /// - Parameter fraction: nanoseconds, used if the number is in seconds.
  private static func time(_ value: Int, fraction: Int, isNegative: Bool) -> Time {
    let unit: Unit =
      switch value {
      case ..<100_000_000_000: .seconds
      case ..<100_000_000_000_000: .milliseconds
      case ..<100_000_000_000_000_000: .microseconds
      default: .nanoseconds
      }
    var divisor = 1
    for _ in 0..<unit.decimals { divisor *= 10 }
    var seconds = value / divisor
    var nanoseconds =
      unit == .seconds ? fraction : (value % divisor) * (1_000_000_000 / divisor)
    if isNegative {
      seconds = -seconds
      if nanoseconds > 0 {
        seconds -= 1
        nanoseconds = 1_000_000_000 - nanoseconds
      }
    }
    return Time(seconds: seconds, nanoseconds: nanoseconds, unit: unit)
  }

  /// Digits behind a decimal point up to the end of the text, as nanoseconds.
  private static func fraction(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var value = 0
    var scale = 100_000_000
    var index = start
    while index < bytes.count {
      guard let digit = digit(bytes, index) else { return nil }
      value += digit * scale
      scale /= 10
      index += 1
    }
    return value
  }

  /// `2014-07-23`, `2014/07/23 10:20:30`, `2014-07-23T10:20:30.5Z`, `…+02:00`.
  private static func date(_ bytes: UnsafeRawBufferPointer) -> Time? {
    guard bytes.count >= 10, bytes.count <= 40 else { return nil }
    guard let year = digits(bytes, 0, 4), let month = digits(bytes, 5, 2),
      let day = digits(bytes, 8, 2), bytes[4] == bytes[7],
      bytes[4] == UInt8(ascii: "-") || bytes[4] == UInt8(ascii: "/"),
      (1...12).contains(month), (1...daysInMonth(month, of: year)).contains(day)
    else { return nil }
    var time = Time(seconds: days(year, month, day) * 86_400, nanoseconds: 0, unit: .date)
    if bytes.count == 10 { return time }
    guard bytes[10] == UInt8(ascii: "T") || bytes[10] == 0x20,
      let hour = digits(bytes, 11, 2), let minute = digits(bytes, 14, 2), bytes.count >= 16,
      bytes[13] == UInt8(ascii: ":"), hour < 24, minute < 60
    else { return nil }
    time.seconds += hour * 3600 + minute * 60
    var index = 16
    if index < bytes.count, bytes[index] == UInt8(ascii: ":") {
      guard let second = digits(bytes, 17, 2), second <= 60 else { return nil }
      time.seconds += second
      index = 19
      if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
        let start = index + 1
        index = start
        while digit(bytes, index) != nil { index += 1 }
        guard index > start,
          let read = fraction(UnsafeRawBufferPointer(rebasing: bytes[..<index]), from: start)
        else { return nil }
        time.nanoseconds = read
      }
    }
    guard let offset = offset(bytes, from: index) else { return nil }
    time.seconds -= offset
    return time
  }

  /// A time zone up to the end of the text, in seconds east of Greenwich; none counts as Greenwich.
  private static func offset(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    var index = start
    while index < bytes.count, bytes[index] == 0x20 { index += 1 }
    let rest = bytes.count - index
    if rest == 0 { return 0 }
    if rest == 1 { return bytes[index] == UInt8(ascii: "Z") ? 0 : nil }
    if rest == 3, bytes[index...].elementsEqual("UTC".utf8) { return 0 }
    let sign = bytes[index]
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest >= 5,
      let hours = digits(bytes, index + 1, 2)
    else { return nil }
    let hasColon = bytes[index + 3] == UInt8(ascii: ":")
    guard rest == (hasColon ? 6 : 5),
      let minutes = digits(bytes, index + (hasColon ? 4 : 3), 2), hours < 24, minutes < 60
    else { return nil }
    let seconds = hours * 3600 + minutes * 60
    return sign == UInt8(ascii: "-") ? -seconds : seconds
  }

  private static func digit(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int? {
    guard index < bytes.count else { return nil }
    let digit = bytes[index] &- UInt8(ascii: "0")
    return digit <= 9 ? Int(digit) : nil
  }

  private static func digits(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int
  ) -> Int? {
    var value = 0
    for index in start..<start + count {
      guard let digit = digit(bytes, index) else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  private static func daysInMonth(_ month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// Days from 1 January 1970 in the Gregorian calendar.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years that begin in March have the leap day at their end.
    let shifted = month <= 2 ? year - 1 : year
    let leapDays = shifted / 4 - shifted / 100 + shifted / 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return shifted * 365 + leapDays + dayOfYear - 719_468
  }
}
