import Foundation

/// A point in time as it is written on the command line.
package enum TimePoint {
  /// Seconds since 1970 from a number of seconds, or from a date such as `2014-07-01` or
  /// `2014-07-01T12:30:00Z` (UTC where no zone is given).
  ///
  /// - Parameter option: the option that the text is the value of, for the message.
  /// - Throws: ``SplitRequestError`` for anything else.
  package static func seconds(
    parsing text: String, option: String
  ) throws(SplitRequestError) -> Double {
    if text.count == 4, let year = Int(text), (1900...2100) ~= year {
      throw SplitRequestError(
        "\(option) is '\(text)'; for a year, write its first day, \(text)-01-01")
    }
    let time = Array(text.utf8).withUnsafeBytes { TimeText.parse($0) }
    guard let time else {
      throw SplitRequestError(
        "\(option) is '\(text)'; expected a date such as 2014-07-01, a time such as "
          + "2014-07-01T12:30:00Z, or seconds since 1970")
    }
    return Double(time.seconds) + Double(time.nanoseconds) / 1e9
  }

  /// The date and time of day, for messages: `2014-07-01 12:30:00 UTC`.
  package static func text(_ seconds: Double) -> String {
    guard seconds.magnitude < 1e11 else { return "\(seconds) s" }
    let style = Date.ISO8601FormatStyle(
      dateTimeSeparator: .space, timeZone: .gmt
    ).year().month().day().time(includingFractionalSeconds: false)
    return Date(timeIntervalSince1970: seconds).formatted(style) + " UTC"
  }
}
