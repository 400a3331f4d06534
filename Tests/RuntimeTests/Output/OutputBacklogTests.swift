import Runtime
import Testing

@Suite struct OutputBacklogTests {
  /// The text of all chunks.
  private func text(_ backlog: inout OutputBacklog) -> String {
    var text = ""
    while let chunk = backlog.next() { text += chunk.text }
    return text
  }

  @Test("lines are written in order, as many at once as a pipe takes atomically")
  func order() throws {
    var backlog = OutputBacklog(overflow: .dropsOldest)
    let lines = (0..<900).map { "line \($0)\n" }
    for line in lines { backlog.add(line) }
    var texts: [String] = []
    while let chunk = backlog.next() { texts.append(chunk.text) }
    #expect(texts.joined() == lines.joined())
    #expect(texts.count > 1 && texts.allSatisfy { $0.utf8.count <= 4096 && $0.hasSuffix("\n") })
    #expect(backlog.isEmpty)
  }

  @Test("without room the oldest lines are dropped, and their number is written in their place")
  func dropped() {
    var backlog = OutputBacklog(overflow: .dropsOldest)
    for number in 0..<OutputBacklog.pieceLimit + 7 { backlog.add("\(number)\n") }
    let text = text(&backlog)
    #expect(
      text.hasPrefix("mrdib: 7 lines dropped here: the output was not read\n7\n8\n"), "\(text)"
    )
    #expect(text.hasSuffix("\(OutputBacklog.pieceLimit + 6)\n"))
    backlog.add("again\n")
    #expect(self.text(&backlog) == "again\n")
  }

  @Test("a few long texts count as much as many lines")
  func longTexts() {
    var backlog = OutputBacklog(overflow: .dropsOldest)
    let long = String(repeating: "x", count: OutputBacklog.byteLimit / 2 - 1) + "\n"
    for _ in 0..<3 { backlog.add(long + "and a line\n") }
    let text = text(&backlog)
    #expect(text.hasPrefix("mrdib: 4 lines dropped here"))
    #expect(text.utf8.count < OutputBacklog.byteLimit)
    // A text longer than the limit is kept, because it is the last one.
    let longest = String(repeating: "y", count: 2 * OutputBacklog.byteLimit) + "\n"
    backlog.add("before\n")
    backlog.add(longest)
    #expect(self.text(&backlog).hasSuffix(longest))
  }

  @Test("results are never dropped, and hasRoom shows the limit")
  func results() {
    var backlog = OutputBacklog(overflow: .waits)
    for number in 0..<OutputBacklog.pieceLimit + 5 { backlog.add("\(number)\n") }
    #expect(!backlog.hasRoom)
    let text = text(&backlog)
    #expect(text.hasPrefix("0\n1\n") && text.hasSuffix("\(OutputBacklog.pieceLimit + 4)\n"))
    #expect(backlog.hasRoom)
  }

  @Test("a status is replaced by what comes next, and never waits behind another")
  func status() {
    var backlog = OutputBacklog(overflow: .dropsOldest)
    for step in 0..<5000 { backlog.show(status: "step \(step)") }
    #expect(text(&backlog) == "step 4999")
    backlog.show(status: "step 5000")
    #expect(text(&backlog) == "\r\u{1B}[Kstep 5000")
    backlog.show(status: "this is replaced")
    backlog.add("epoch\n")
    #expect(text(&backlog) == "\r\u{1B}[Kepoch\n")
    backlog.show(status: "step 1")
    #expect(text(&backlog) == "step 1")
    backlog.endStatus()
    backlog.add("done\n")
    #expect(text(&backlog) == "\ndone\n")
    backlog.endStatus()
    #expect(text(&backlog).isEmpty)
  }

  @Test("lines that could not be written are counted and reported with the next write")
  func failed() throws {
    var backlog = OutputBacklog(overflow: .dropsOldest)
    for _ in 0..<OutputBacklog.pieceLimit + 3 { backlog.add("a\n") }
    let first = backlog.next()
    backlog.fail(try #require(first), after: 0, reason: "No space left on device")
    backlog.add("b\n")
    let second = backlog.next()
    backlog.fail(try #require(second), after: 1, reason: "No space left on device")
    backlog.add("c\n")
    // The first line was cut, so the next one begins on a new line.
    #expect(
      text(&backlog) == """

        mrdib: 3 lines dropped here: the output was not read
        mrdib: \(OutputBacklog.pieceLimit + 1) lines lost here: No space left on device
        c

        """)
  }
}
