import Foundation
import Runtime
import Synchronization
import Testing
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

@Suite struct OutputWriterTests {
  /// A pipe that holds one page, and is full of dots unless it is to be empty.
  private final class SmallPipe: Sendable {
    private static let size = 4096
    /// `F_SETPIPE_SZ`, which Swift does not show.
    private static let setSize: Int32 = 1031
    let readEnd: Int32
    let writeEnd: Int32

    init(isFull: Bool) throws {
      // A failing test may end while there is text to write.
      ProcessOutput.ignoreBrokenPipes()
      var ends: [Int32] = [-1, -1]
      try #require(pipe(&ends) == 0)
      (readEnd, writeEnd) = (ends[0], ends[1])
      try #require(fcntl(writeEnd, Self.setSize, Int32(Self.size)) == Self.size)
      if isFull {
        let dots = [UInt8](repeating: UInt8(ascii: "."), count: Self.size)
        try #require(write(writeEnd, dots, dots.count) == dots.count)
      }
    }

    deinit { close(readEnd) }

    /// Waits for text until it ends with a suffix. The dots are left out.
    func read(until suffix: String) -> String {
      var text = ""
      var bytes = [UInt8](repeating: 0, count: Self.size)
      while !text.hasSuffix(suffix) {
        let count = Glibc.read(readEnd, &bytes, bytes.count)
        guard count > 0 else { break }
        text += String(decoding: bytes.prefix(count), as: UTF8.self).replacing(".", with: "")
      }
      return text
    }
  }

  @Test("writing never waits; a late reader gets ordered lines and the number of dropped ones")
  func fullPipe() throws {
    let pipe = try SmallPipe(isFull: true)
    let writer = OutputWriter(descriptor: pipe.writeEnd, overflow: .dropsOldest)
    for number in 0..<3000 { writer.write("line \(number)\n") }
    #expect(!writer.flush(within: 0.2))
    let text = pipe.read(until: "line 2999\n")
    #expect(writer.flush(within: 60))
    // Lines in order, with the number of dropped ones in their place.
    var next = 0
    var dropped = 0
    for line in text.split(separator: "\n") {
      if let note = line.wholeMatch(of: /mrdib: (\d+) lines dropped here: .*/) {
        let count = try #require(Int(note.1))
        dropped += count
        next += count
      } else {
        #expect(line == "line \(next)")
        next += 1
      }
    }
    #expect(next == 3000)
    #expect(dropped > 0 && dropped <= 3000 - OutputBacklog.pieceLimit)
  }

  @Test("results wait for their reader, and none is dropped")
  func results() throws {
    let pipe = try SmallPipe(isFull: true)
    let writer = OutputWriter(descriptor: pipe.writeEnd, overflow: .waits)
    for number in 0..<3000 { writer.write("line \(number)\n") }
    #expect(!writer.hasRoom(within: 0.1) && !writer.flush(within: 0.1))
    let text = pipe.read(until: "line 2999\n")
    #expect(text == (0..<3000).map { "line \($0)\n" }.joined())
    #expect(writer.hasRoom(within: 60) && writer.flush(within: 60) && writer.failure == nil)
  }

  @Test("a descriptor that another program made non-blocking loses nothing")
  func nonBlocking() throws {
    let pipe = try SmallPipe(isFull: true)
    try #require(fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK) == 0)
    let writer = OutputWriter(descriptor: pipe.writeEnd, overflow: .waits)
    let long = String(repeating: "long ", count: 10_000) + "\n"
    writer.write(long)
    #expect(!writer.flush(within: 0.2) && writer.failure == nil)
    #expect(pipe.read(until: "\n") == long)
    #expect(writer.flush(within: 60) && writer.failure == nil)
  }

  @Test("if no thread can be started, text is written as far as possible without waiting")
  func noThread() throws {
    let pipe = try SmallPipe(isFull: false)
    let writer = OutputWriter(descriptor: pipe.writeEnd, overflow: .dropsOldest) { _ in
      throw POSIXError(.EAGAIN)
    }
    for number in 0..<2000 { writer.write("line \(number)\n") }
    #expect(!writer.flush(within: 0.2))
    let reader = Mutex("")
    let thread = try JoinableThread(name: "reader") {
      let text = pipe.read(until: "line 1999\n")
      reader.withLock { $0 = text }
    }
    #expect(writer.flush(within: 60))
    try thread.join()
    let text = reader.withLock { $0 }
    // A pipe of one page accepts nothing while it holds anything.
    #expect(text.hasPrefix("line 0\nmrdib: 999 lines dropped here"))
    #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 2 + OutputBacklog.pieceLimit)
  }

  @Test("the reason of the first failed write is kept")
  func failure() throws {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    let writer = OutputWriter(descriptor: descriptor, overflow: .waits)
    writer.write("a\n")
    #expect(writer.flush(within: 60) && writer.failure == ENOSPC)
  }
}
