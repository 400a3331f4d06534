import Foundation
import Protocol
import Testing

extension WireMessage {
  /// A message of one frame with a text.
  init(_ text: String) {
    self.init(frames: [.copying(Array(text.utf8))])
  }

  /// The first frame as text.
  var text: String { String(decoding: frames[0].array(of: UInt8.self), as: UTF8.self) }

  var contents: [[UInt8]] { frames.map { $0.array(of: UInt8.self) } }
}

/// `count` bytes that differ from place to place.
func pattern(_ count: Int) -> Payload {
  Payload.make(UInt8.self, count: count) { buffer in
    for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index &* 31 &+ index >> 9) }
  }
}

/// A directory of its own for Unix sockets, removed afterwards.
func withSocketDirectory(_ body: (String) throws -> Void) throws {
  let directory = "/tmp/mrdib-\(UInt32.random(in: 0...UInt32.max))"
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  try body(directory)
}
