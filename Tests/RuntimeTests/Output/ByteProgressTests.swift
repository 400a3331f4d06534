import Runtime
import Testing

/// When progress in bytes is shown, and how.
@Suite struct ByteProgressTests {
  @Test("a rewritten line has what is done, the rate and the time left")
  func rewriting() {
    var view = ByteProgressView(verb: "importing", style: .rewriting(width: 80), start: 100)
    #expect(view.line(1_000_000, of: 200_000_000, at: 100.1) == nil)
    #expect(
      view.line(50_000_000, of: 200_000_000, at: 102)
        == "importing: 50 of 200 MB (25 %), 25.0 MB/s, 6s left")
    #expect(view.line(51_000_000, of: 200_000_000, at: 102.1) == nil)
    #expect(view.line(60_000_000, of: 0, at: 110) == nil)
  }

  @Test("elsewhere a line every half minute, and none if it is to be quiet")
  func plain() {
    var view = ByteProgressView(verb: "importing", style: .plain(interval: 30), start: 0)
    #expect(view.line(1, of: 2, at: 29) == nil)
    #expect(view.line(1, of: 2, at: 30) != nil)
    #expect(view.line(1, of: 2, at: 59) == nil)
    var quiet = ByteProgressView(verb: "importing", style: .quiet, start: 0)
    #expect(quiet.line(1, of: 2, at: 100) == nil)
  }
}
