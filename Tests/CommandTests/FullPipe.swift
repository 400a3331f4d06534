import Foundation
import Glibc
import Testing

/// A full pipe that is not read until a test begins to read it.
final class FullPipe {
  private static let size = 4096
  /// `F_SETPIPE_SZ`, which Swift does not show.
  private static let setSize: Int32 = 1031
  private let pipe = Pipe()

  init() throws {
    let descriptor = pipe.fileHandleForWriting.fileDescriptor
    try #require(fcntl(descriptor, Self.setSize, Int32(Self.size)) == Self.size)
    pipe.fileHandleForWriting.write(Data(repeating: UInt8(ascii: "."), count: Self.size))
    // Only the test's end: the program's end is an ordinary pipe.
    try #require(fcntl(pipe.fileHandleForReading.fileDescriptor, F_SETFL, O_NONBLOCK) == 0)
  }

  /// For a program to write to.
  var end: FileHandle { pipe.fileHandleForWriting }

  /// Reads until a text arrives.
  func read(until text: String) throws -> String {
    var seen = ""
    var bytes = [UInt8](repeating: 0, count: Self.size)
    try Wait.until("'\(text)' is read") {
      let count = Glibc.read(pipe.fileHandleForReading.fileDescriptor, &bytes, bytes.count)
      seen += String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      return seen.contains(text)
    }
    return seen
  }
}

/// A terminal whose output was stopped with Ctrl-S.
final class StoppedTerminal {
  private let keyboard: Int32
  /// For a program to write to.
  let end: FileHandle

  init() throws {
    var ends: (keyboard: Int32, screen: Int32) = (-1, -1)
    let isOpen = openpty(&ends.keyboard, &ends.screen, nil, nil, nil) == 0
    try #require(isOpen)
    keyboard = ends.keyboard
    end = FileHandle(fileDescriptor: ends.screen, closeOnDealloc: true)
    try #require(tcflow(ends.screen, TCOOFF) == 0)
  }

  deinit { close(keyboard) }
}
