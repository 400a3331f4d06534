import Checkpoints
import Foundation
import Protocol
import TestSupport
import Testing

/// Files that come in pieces from another server's disk.
@Suite struct IncomingCopyTests {
  private let folder: TemporaryFolder
  private let sender: CheckpointStore
  private let receiver: CheckpointStore
  private let file: CopiedFile
  private let content: [UInt8]

  /// A file of a piece and a half on the sender's disk.
  init() throws {
    folder = try TemporaryFolder()
    sender = CheckpointStore(folder: folder.path("sender"))
    receiver = CheckpointStore(folder: folder.path("receiver"))
    content = (0..<CopyRequest.mostBytes * 3 / 2).map { UInt8(truncatingIfNeeded: $0 &* 7 / 3) }
    let place = folder.path("sender/v0000000008-g2")
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let path = "\(place)/server-1-of-3.safetensors"
    try Data(content).write(to: URL(fileURLWithPath: path))
    file = CopiedFile(
      CheckpointShard(
        generation: 2, version: 8, rank: 1, file: "", byteCount: UInt64(content.count),
        digest: try FileContent(of: path).digest), serverCount: 3)
  }

  private func received() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path("receiver/v0000000008-g2"))
  }

  @Test("pieces make the file, also if one comes twice; it has no name before the last")
  func pieces() throws {
    #expect(try sender.holds(file))
    #expect(try !receiver.holds(file))
    let copy = try IncomingCopy(file, in: receiver)
    let first = try sender.piece(of: file, at: 0)
    #expect(first.byteCount == CopyRequest.mostBytes)
    try copy.add(first, at: 0)
    try copy.add(first, at: 0)
    #expect(copy.byteCount == first.byteCount && !copy.isComplete)
    #expect(try !received().contains("server-1-of-3.safetensors"))
    let last = try sender.piece(of: file, at: first.byteCount)
    try copy.add(last, at: first.byteCount)
    #expect(copy.isComplete)
    #expect(try received() == ["server-1-of-3.safetensors"])
    #expect(try receiver.holds(file))
    // The answer to the last piece was lost.
    try copy.add(last, at: first.byteCount)
    #expect(copy.isComplete)
  }

  @Test("a byte that changed on the way leaves no file")
  func damaged() throws {
    var copy: IncomingCopy? = try IncomingCopy(file, in: receiver)
    try copy?.add(sender.piece(of: file, at: 0), at: 0)
    var bytes = Array(content[CopyRequest.mostBytes...])
    bytes[5] ^= 1
    #expect {
      try copy?.add(.copying(bytes), at: CopyRequest.mostBytes)
    } throws: { error in
      (error as? CheckpointError)?.code == .damaged && "\(error)".contains("was announced")
    }
    copy = nil
    #expect(try received().isEmpty)
    #expect(try !receiver.holds(file))
  }

  @Test("pieces that do not follow each other, and files of another size, are refused")
  func gaps() throws {
    let copy = try IncomingCopy(file, in: receiver)
    #expect {
      try copy.add(.copying([1, 2] as [UInt8]), at: 7)
    } throws: { ($0 as? CheckpointError)?.code == .mismatch }
    #expect {
      try copy.add(.empty, at: 0)
    } throws: { ($0 as? CheckpointError)?.code == .mismatch }
    let place = folder.path("sender/\(file.path)")
    try Data(content.dropLast()).write(to: URL(fileURLWithPath: place))
    #expect {
      _ = try sender.piece(of: file, at: 0)
    } throws: { ($0 as? CheckpointError)?.code == .damaged }
    #expect(try !sender.holds(file))
    try FileManager.default.removeItem(atPath: place)
    #expect {
      _ = try sender.piece(of: file, at: 0)
    } throws: { ($0 as? CheckpointError)?.code == .missing }
  }
}
