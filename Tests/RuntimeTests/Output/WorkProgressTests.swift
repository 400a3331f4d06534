import Runtime
import Testing

/// When the progress of a command that prepares data is shown, and how.
@Suite struct WorkProgressTests {
  @Test("a rewritten line has what is done, the rate and the time left")
  func rewriting() {
    var view = WorkProgressView(style: .rewriting(width: 80), start: 100)
    #expect(view.line("importing", .bytes(1_000_000, of: 200_000_000), at: 100.1) == nil)
    #expect(
      view.line("importing", .bytes(50_000_000, of: 200_000_000), at: 102)
        == "importing: 50 of 200 MB (25 %), 25.0 MB/s, 6s left")
    #expect(view.line("importing", .bytes(51_000_000, of: 200_000_000), at: 102.1) == nil)
    #expect(view.line("importing", .bytes(60_000_000, of: 0), at: 110) == "importing")
  }

  @Test("a stage has its own share and time left, and no line is wider than the terminal")
  func stages() {
    var view = WorkProgressView(style: .rewriting(width: 20), start: 0)
    #expect(view.line("reading", .unknown, at: 10) == "reading")
    #expect(view.line("writing ids", .share(0), at: 10.1) == nil)
    #expect(view.line("writing ids", .share(0.5), at: 12.1) == "writing ids: 50 %, ")
    var wide = WorkProgressView(style: .rewriting(width: 80), start: 0)
    #expect(wide.line("writing ids", .share(0.5), at: 2) == "writing ids: 50 %, 2s left")
    #expect(wide.line("writing ids", .share(.nan), at: 4) == "writing ids: 0 %, ? left")
  }

  @Test("elsewhere a line every half minute, and none if it is to be quiet")
  func plain() {
    var view = WorkProgressView(style: .plain(interval: 30), start: 0)
    #expect(view.line("importing", .bytes(1, of: 2), at: 29) == nil)
    #expect(view.line("importing", .bytes(1, of: 2), at: 30) != nil)
    #expect(view.line("importing", .bytes(1, of: 2), at: 59) == nil)
    var quiet = WorkProgressView(style: .quiet, start: 0)
    #expect(quiet.line("importing", .bytes(1, of: 2), at: 100) == nil)
  }
}
