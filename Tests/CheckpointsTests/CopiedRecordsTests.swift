import Checkpoints
import Foundation
import Protocol
import TestSupport
import Testing

/// Copies of a coordinator's records on a server's disk.
@Suite struct CopiedRecordsTests {
  private static let digest = "xxh128:" + String(repeating: "0a", count: 16)

  private static func records(
    version: UInt64 = 8, path: String = "run.sqlite", texts: [String: String] = ["best.json": "{}"]
  ) -> CopiedRecords {
    CopiedRecords(
      runID: "run-7", name: CheckpointName(generation: 2, version: version), epochsFinished: 3,
      configurationDigest: "c", dataDigest: "d",
      files: [.init(path: path, byteCount: 5, digest: digest)], texts: texts,
      manifests: ["v0000000008-g2/manifest.json": "text"])
  }

  @Test("what is written is read")
  func roundTrip() throws {
    let records = Self.records()
    #expect(
      try CopiedRecords(decoding: Data(records.encoded()), path: "records.json") == records)
    #expect(records.contents.map(\.path) == ["v0000000008-g2/\(Self.digest.dropFirst(7)).copy"])
  }

  @Test(
    "no name leads out of the run directory", arguments: ["../x", "/etc/x", "a//b", "a/./b", ""])
  func escapes(path: String) throws {
    for records in [Self.records(path: path), Self.records(texts: [path: ""])] {
      let bytes = Data(try records.encoded())
      let error = #expect(throws: CheckpointError.self) {
        try CopiedRecords(decoding: bytes, path: "records.json")
      }
      #expect(error?.code == .damaged)
    }
  }

  @Test("whatever is changed in the file is noticed")
  func damaged() throws {
    let bytes = try Self.records().encoded()
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(throws: CheckpointError.self, "byte \(index)") {
        try CopiedRecords(decoding: Data(damaged), path: "records.json")
      }
    }
  }

  @Test("the newest copy with all its files counts, and files of earlier ones are taken over")
  func newest() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path("store"))
    func write(_ records: CopiedRecords) throws {
      let path = folder.path("store/\(records.name.folder)")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(records.encoded()).write(to: URL(fileURLWithPath: "\(path)/records.json"))
    }
    #expect(store.latestRecords() == nil)
    try write(Self.records(version: 8))
    #expect(store.latestRecords() == nil, "its file is missing")
    let content = Self.records(version: 8).contents[0]
    try Data("12345".utf8).write(to: URL(fileURLWithPath: store.storage.path(of: content.path)))
    #expect(store.latestRecords()?.records == Self.records(version: 8))
    // The same file belongs to the next copy.
    let next = Self.records(version: 12)
    #expect(store.findContent(next.contents[0]))
    try write(next)
    #expect(store.latestRecords()?.records == next)
    try FileManager.default.removeItem(atPath: folder.path("store/v0000000008-g2"))
    #expect(store.latestRecords()?.records == next)
    #expect(store.latestRecords()?.file.name == next.name)
    // A damaged one does not hide an older one.
    try write(Self.records(version: 9))
    #expect(store.findContent(Self.records(version: 9).contents[0]))
    try Data("{}".utf8).write(
      to: URL(fileURLWithPath: folder.path("store/v0000000012-g2/records.json")))
    #expect(store.latestRecords()?.records == Self.records(version: 9))
  }

  @Test("a run that is over is marked on the disk, if it has a folder")
  func over() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(folder: folder.path("run"))
    store.noteOver()
    #expect(!store.isOver)
    try FileManager.default.createDirectory(
      atPath: store.folder, withIntermediateDirectories: true)
    #expect(!store.isOver)
    store.noteOver()
    #expect(store.isOver)
    #expect(CheckpointStore.runs(in: folder.path) == ["run"])
  }
}
