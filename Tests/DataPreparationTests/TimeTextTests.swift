import DataPreparation
import Testing

/// Times in all the ways in which sources write them.
@Suite struct TimeTextTests {
  private static func parse(_ text: String) -> TimeText.Time? {
    var text = text
    return text.withUTF8 { TimeText.parse(UnsafeRawBufferPointer($0)) }
  }

  @Test(
    "numbers and dates",
    arguments: [
      ("0", 0, 0), ("1406073600", 1_406_073_600, 0), ("1406073600.5", 1_406_073_600, 500_000_000),
      ("1406073600123", 1_406_073_600, 123_000_000),
      ("1406073600123456", 1_406_073_600, 123_456_000),
      ("1406073600123456789", 1_406_073_600, 123_456_789), ("1.4060736E+09", 1_406_073_600, 0),
      ("-1.25", -2, 750_000_000), ("2014-07-23", 1_406_073_600, 0), ("1970-01-01", 0, 0),
      ("1969-12-31", -86_400, 0), ("2000-02-29", 951_782_400, 0), ("2014/07/23", 1_406_073_600, 0),
      ("2014-07-23 01:00:01", 1_406_077_201, 0), ("2014-07-23T00:00", 1_406_073_600, 0),
      ("2014-07-23T02:00:00.250+02:00", 1_406_073_600, 250_000_000),
      ("2014-07-22T19:00:00-0500", 1_406_073_600, 0), ("2014-07-23T00:00:00Z", 1_406_073_600, 0),
      ("2014-07-23 00:00:00 UTC", 1_406_073_600, 0), ("0001-01-01", -62_135_596_800, 0),
    ])
  func accepted(text: String, seconds: Int, nanoseconds: Int) throws {
    let time = try #require(Self.parse(text))
    #expect(time.seconds == seconds && time.nanoseconds == nanoseconds, "\(time)")
  }

  @Test(
    "what is no time",
    arguments: [
      "", "-", "nan", "inf", "yesterday", "2014-13-01", "2014-02-30", "2013-02-29", "2014-07-23T",
      "2014-07-23T25:00", "2014-07-23T00:00:00+2", "2014-07-23x", "12:30", "1e400",
      "99999999999999999999", "1.2.3",
    ])
  func refused(text: String) {
    #expect(Self.parse(text) == nil)
  }
}
