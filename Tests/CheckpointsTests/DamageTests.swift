import Checkpoints
import Foundation
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Damaged files")
struct DamageTests {
  /// Two checkpoints in a store, the newer at version 4.
  private struct Two {
    let folder: TemporaryFolder
    let older: CheckpointManifest
    let newer: CheckpointManifest
    var store: CheckpointStore { CheckpointStore(folder: folder.path) }

    init() throws {
      folder = try TemporaryFolder()
      var servers = try TrainedServers()
      servers.train(to: 2)
      older = try servers.save(in: folder.path)
      servers.train(to: 4)
      newer = try servers.save(in: folder.path)
    }

    /// Changes the bytes of a file.
    func change(_ name: String, _ body: (inout [UInt8]) -> Void) throws {
      var bytes = try folder.read(name)
      body(&bytes)
      try folder.write(bytes, to: name)
    }
  }

  @Test("without damage, the newest checkpoint is used")
  func undamaged() throws {
    let two = try Two()
    let latest = try two.store.latestUsable(runID: "run")
    #expect(latest.manifest == two.newer && latest.problems == [])
    #expect(try two.store.list().map(\.manifest) == [two.newer, two.older])
    #expect(two.store.verify(two.newer) == [])
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let file: @Sendable (CheckpointManifest) -> String
    let mentions: [String]
    let change: @Sendable (inout [UInt8]) -> Void
  }

  private static func shard(_ manifest: CheckpointManifest) -> String { manifest.path(ofRank: 1) }

  static let damages = [
    Damage(testDescription: "half a file", file: shard, mentions: ["bytes"]) {
      $0.removeLast($0.count / 2)
    },
    Damage(testDescription: "an empty file", file: shard, mentions: ["ends at byte 0"]) { $0 = [] },
    Damage(testDescription: "one byte less", file: shard, mentions: ["bytes"]) { $0.removeLast() },
    Damage(testDescription: "one byte more", file: shard, mentions: ["bytes"]) { $0.append(0) },
    Damage(testDescription: "a flipped bit in the last value", file: shard, mentions: ["digest"]) {
      $0[$0.count - 1] ^= 1
    },
    Damage(testDescription: "a flipped bit among the values", file: shard, mentions: ["digest"]) {
      $0[$0.count - 500] ^= 16
    },
    Damage(testDescription: "a header longer than the file", file: shard, mentions: ["header"]) {
      $0[2] = 1
    },
    Damage(testDescription: "a header of absurd length", file: shard, mentions: ["header"]) {
      for index in 0..<8 { $0[index] = 255 }
    },
    Damage(testDescription: "a header that is no JSON", file: shard, mentions: []) { $0[8] = 0 },
    Damage(testDescription: "zeros", file: shard, mentions: ["header"]) {
      $0 = Array(repeating: 0, count: $0.count)
    },
    Damage(testDescription: "half a manifest", file: \.name.manifest, mentions: ["manifest"]) {
      $0.removeLast($0.count / 2)
    },
    Damage(testDescription: "an empty manifest", file: \.name.manifest, mentions: ["manifest"]) {
      $0 = []
    },
    Damage(testDescription: "a manifest of zeros", file: \.name.manifest, mentions: ["manifest"]) {
      $0 = Array(repeating: 0, count: $0.count)
    },
    Damage(
      testDescription: "a changed digit in the manifest", file: \.name.manifest,
      mentions: ["digest"]
    ) {
      let text = String(decoding: $0, as: UTF8.self)
      $0 = Array(text.replacing("\"step\" : 2", with: "\"step\" : 3").utf8)
    },
  ]

  @Test("the problem names the file, and the checkpoint before is used", arguments: damages)
  func damaged(damage: Damage) throws {
    let two = try Two()
    let name = damage.file(two.newer)
    try two.change(name, damage.change)
    let latest = try two.store.latestUsable(runID: "run")
    #expect(latest.manifest == two.older)
    let problem = try #require(latest.problems.first)
    #expect(latest.problems.count == 1)
    for word in damage.mentions + [name, "use another checkpoint"] {
      #expect(problem.contains(word), "\(problem)")
    }
    let error = #expect(throws: CheckpointError.self) {
      let reader = try CheckpointReader(
        two.newer.restored, in: two.folder.checkpoints, runID: "run")
      _ = try TrainedServers(restoring: reader)
    }
    #expect(error?.code == .damaged)
  }

  @Test("a missing file, a folder in its place, and the file of another checkpoint")
  func misplaced() throws {
    for kind in 0..<3 {
      let two = try Two()
      let name = two.newer.path(ofRank: 0)
      try two.folder.remove(name)
      if kind == 1 { try two.folder.makeFolder(name) }
      if kind == 2 { try two.folder.write(two.folder.read(two.older.path(ofRank: 0)), to: name) }
      let latest = try two.store.latestUsable(runID: "run")
      #expect(latest.manifest == two.older)
      #expect(latest.problems.count == 1 && latest.problems[0].contains(name))
      let code = two.store.verify(two.newer).first?.code
      #expect(code == [.missing, .damaged, .mismatch][kind])
    }
  }

  @Test(
    "a manifest of another format is refused with both numbers and what to do, not called damaged",
    arguments: [2, 4])
  func otherFormat(number: Int) throws {
    let two = try Two()
    try two.change(two.newer.name.manifest) {
      let text = String(decoding: $0, as: UTF8.self)
      let other = "\"format_version\" : \(number)"
      $0 = Array(text.replacing("\"format_version\" : 3", with: other).utf8)
    }
    let entry = try #require(try two.store.list().first)
    guard case .unusable(let error) = entry.content else {
      Issue.record("\(entry)")
      return
    }
    #expect(error.code == .unsupported)
    #expect(error.message.contains("format 3") && error.message.contains("format \(number)"))
    #expect(error.message.contains("begin a new run"))
    #expect(try two.store.latestUsable(runID: "run").manifest == two.older)
  }

  @Test("a renamed folder is not a checkpoint")
  func renamed() throws {
    let two = try Two()
    let name = CheckpointName(generation: 1, version: 99)
    try FileManager.default.moveItem(
      atPath: "\(two.folder.path)/\(two.newer.name.folder)",
      toPath: "\(two.folder.path)/\(name.folder)")
    let latest = try two.store.latestUsable(runID: "run")
    #expect(latest.manifest == two.older)
    #expect(latest.problems.first?.contains("not of this folder") == true)
  }

  @Test("files that a crash leaves are neither a checkpoint nor a problem")
  func crashes() throws {
    let two = try Two()
    var servers = try TrainedServers()
    servers.train(to: 6)
    let third = try servers.save(in: two.folder.path, commits: false)
    // Before the manifest; while it is written; while the last file is written; before any.
    for step in 0..<4 {
      switch step {
      case 1: try two.folder.write([1, 2, 3], to: "\(third.name.manifest).tmp-77")
      case 2:
        try two.folder.remove(third.path(ofRank: 1))
        try two.folder.write([1, 2, 3], to: "\(third.path(ofRank: 1)).partial")
      case 3:
        try two.folder.remove(third.name.folder)
        try two.folder.makeFolder(third.name.folder)
      default: break
      }
      let latest = try two.store.latestUsable(runID: "run")
      #expect(latest.manifest == two.newer && latest.problems == [])
      #expect(try two.store.list().first?.content == .uncommitted)
    }
    // The same version can be written over them.
    try servers.save(in: two.folder.path)
    #expect(try two.store.latestUsable(runID: "run").manifest == third)
  }

  @Test("checkpoints of another run in the folder are reported and not changed")
  func otherRun() throws {
    let two = try Two()
    var other = try TrainedServers(runID: "other")
    other.train(to: 6)
    try other.save(in: two.folder.path)
    let latest = try two.store.latestUsable(runID: "run")
    #expect(latest.manifest == two.newer)
    #expect(latest.problems.first?.contains("'other'") == true)
  }

  /// A file or folder that exists and cannot be read, even by root: a link to itself.
  private func makeUnreadable(_ path: String) throws {
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
  }

  @Test("an unreadable checkpoint does not count as damaged: no older one is used instead")
  func unreadable() throws {
    let names: [@Sendable (CheckpointManifest) -> String] = [
      { _ in "" }, { $0.name.folder }, \.name.manifest, { $0.path(ofRank: 0) },
      { $0.path(ofRank: 1) },
    ]
    for name in names {
      let two = try Two()
      let path = "\(two.folder.path)/\(name(two.newer))"
      let trimmed = path.hasSuffix("/") ? String(path.dropLast()) : path
      try makeUnreadable(trimmed)
      let error = #expect(throws: CheckpointError.self) {
        try two.store.latestUsable(runID: "run")
      }
      #expect(error?.code == .inputOutput)
      #expect(error?.message.contains(trimmed) == true, "\(error?.message ?? "")")
      #expect(error?.message.contains("damaged") == false)
    }
  }

  @Test("a missing checkpoint is distinguished from a damaged one")
  func noneThere() throws {
    let two = try Two()
    for manifest in [two.newer, two.older] {
      try two.change(manifest.name.manifest) { $0 = [] }
    }
    let damaged = try two.store.latestUsable(runID: "run")
    #expect(damaged.manifest == nil && damaged.problems.count == 2 && !damaged.hasNoCheckpoint)
    // Files without a manifest and checkpoints of another run do not count.
    for manifest in [two.newer, two.older] { try two.folder.remove(manifest.name.manifest) }
    var other = try TrainedServers(runID: "other")
    other.train(to: 6)
    try other.save(in: two.folder.path)
    let none = try two.store.latestUsable(runID: "run")
    #expect(none.manifest == nil && none.problems.count == 1 && none.hasNoCheckpoint)
  }

  @Test("an empty, a missing and an unreadable store")
  func noStore() throws {
    let folder = try TemporaryFolder()
    #expect(try CheckpointStore(folder: folder.path).list() == [])
    let missing = CheckpointStore(folder: "\(folder.path)/none")
    let latest = try missing.latestUsable(runID: "run")
    #expect(latest.manifest == nil && latest.problems == [] && latest.hasNoCheckpoint)
    try folder.write([1], to: "file")
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointStore(folder: "\(folder.path)/file").list()
    }
    #expect(error?.message.contains("\(folder.path)/file") == true)
  }
}
