import DataPreparation
import Testing

/// Values of options of the commands that take a part of a folder.
@Suite struct CommandValueTests {
  @Test("dates and seconds are points in time")
  func timePoints() throws {
    let times = [
      ("2014-07-01", 1_404_172_800), ("2014-07-01T12:30:00Z", 1_404_217_800),
      ("2014-07-01T12:30:00", 1_404_217_800), ("2014-07-01T14:30:00+02:00", 1_404_217_800),
      ("1404172800", 1_404_172_800), ("-5", -5),
    ]
    for (text, seconds) in times {
      #expect(try TimePoint.seconds(parsing: text, option: "--from") == Double(seconds), "\(text)")
    }
    #expect(try TimePoint.seconds(parsing: "0.5", option: "--from") == 0.5)
    #expect(TimePoint.text(1_404_217_800) == "2014-07-01 12:30:00 UTC")
  }

  @Test(
    "other texts are refused with the option",
    arguments: ["", "2014", "2014-13-01", "yesterday", "nan", "inf", "2014-07"])
  func otherTimes(text: String) throws {
    let error = try #require(throws: SplitRequestError.self) {
      try TimePoint.seconds(parsing: text, option: "--valid-from")
    }
    #expect(error.description.hasPrefix("--valid-from is '\(text)'"))
  }

  @Test("sizes of samples are numbers and shares")
  func sampleSizes() throws {
    let sizes: [(String, SampleSize)] = [
      ("5000", .count(5000)), ("0.1", .share(0.1)), ("25%", .share(0.25)), ("1", .count(1)),
    ]
    for (text, size) in sizes {
      #expect(try SampleSize(parsing: text, option: "--users") == size)
    }
    for text in ["0", "-1", "1.5", "0.0", "x", "", "100%", "nan"] {
      #expect(throws: SplitRequestError.self) {
        try SampleSize(parsing: text, option: "--users")
      }
    }
    #expect(SampleSize.share(0.001).count(of: 10) == 1)
    #expect(SampleSize.count(50).count(of: 10) == 10)
  }
}
