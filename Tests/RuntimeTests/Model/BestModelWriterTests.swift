import Foundation
import Recommenders
import Runtime
import TestSupport
import Testing

@Suite("Files of the best model")
struct BestModelWriterTests {
  static let files = ["item.npy", "parameters.safetensors", "user.npy"]

  @Test("the new best model replaces the old one, and has the vectors that were read")
  func replaces() throws {
    let tiny = try TinyModel()
    try tiny.save(epoch: 0, value: 1)
    #expect(try BestModel.read(run: tiny.run).epoch == 0)
    try tiny.save(epoch: 12, value: 2)
    let best = try BestModel.read(run: tiny.run)
    #expect(best.epoch == 12 && best.version == 7)
    #expect(try tiny.names("models") == ["epoch-0012"])
    #expect(try tiny.names(best.folder) == Self.files)
    #expect(try best.vector(.user, row: 3, run: tiny.run)?.allSatisfy { $0 == 2 } == true)
  }

  @Test("a model in the format of another release, or that names other files, is refused")
  func records() throws {
    let tiny = try TinyModel()
    try tiny.save(epoch: 3)
    let path = "\(tiny.run)/best.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("\"format_version\" : 3"))
    for (old, new, sentence) in [
      (
        "\"format_version\" : 3", "\"format_version\" : 2",
        "it has format 2, and this release reads format 3. Use the release that wrote it"
      ),
      ("models/epoch-0003", "models/epoch-0004", "it is damaged"),
      ("user.npy", "../user.npy", "it is damaged"), ("\"digest\"", "\"digets\"", "it is damaged"),
    ] {
      let changed = text.replacingOccurrences(of: old, with: new)
      #expect(changed != text)
      try Data(changed.utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: RuntimeError.self) { try BestModel.read(run: tiny.run) }
      #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }
  }

  @Test("a model that replaces one of the same epoch leaves it unchanged until it is complete")
  func sameEpoch() throws {
    let tiny = try TinyModel()
    for (value, folder) in [(1, ""), (2, "-again"), (3, "")] as [(Float, String)] {
      let before = try? BestModel.read(run: tiny.run)
      let writer = try tiny.writer(epoch: 4)
      try tiny.fill(writer, with: value)
      if let before {
        #expect(try before.vector(.item, row: 0, run: tiny.run)?.first == value - 1)
      }
      try writer.finish()
      #expect(try tiny.names("models") == ["epoch-0004\(folder)"])
      let best = try BestModel.read(run: tiny.run)
      #expect(try best.vector(.item, row: 0, run: tiny.run)?.first == value)
    }
  }

  @Test("a reader of the best model gets the new one if it is replaced in the meantime")
  func replacedMeanwhile() throws {
    let tiny = try TinyModel()
    try tiny.save(epoch: 0, value: 1)
    var epochs: [UInt32] = []
    let value = try BestModel.using(run: tiny.run) { best in
      epochs.append(best.epoch)
      if best.epoch == 0 { try tiny.save(epoch: 1, value: 2) }
      return try best.vector(.user, row: 0, run: tiny.run)?.first
    }
    #expect(value == 2 && epochs == [0, 1])
    try FileManager.default.removeItem(atPath: "\(tiny.run)/models/epoch-0001/user.npy")
    #expect(throws: (any Error).self) {
      try BestModel.using(run: tiny.run) { try $0.vector(.user, row: 0, run: tiny.run) }
    }
  }

  @Test("incomplete files of killed processes are removed")
  func leftovers() throws {
    let tiny = try TinyModel()
    for file in [
      "epoch-0003/user.npy.partial-0A1B", "epoch-0003/parameters.safetensors.partial",
      "epoch-0001/item.npy", "mine/notes.txt",
    ] { try tiny.folder.make("run/models/\(file)") }
    let writer = try tiny.writer(epoch: 3)
    let parts = try tiny.names("models/epoch-0003")
    #expect(parts.count == 3 && !parts.contains { $0.hasSuffix("0A1B") }, "\(parts)")
    try tiny.fill(writer)
    try writer.finish()
    #expect(try tiny.names("models/epoch-0003") == Self.files)
    #expect(try tiny.names("models") == ["epoch-0003", "mine"])
  }

  @Test("files that cannot be completed are removed, and the best model is unchanged")
  func fails() throws {
    let tiny = try TinyModel()
    try tiny.save(epoch: 0, value: 1)
    let writer = try tiny.writer(epoch: 1)
    try tiny.fill(writer)
    // A folder cannot be replaced by a file.
    try tiny.folder.make("run/models/epoch-0001/user.npy/file")
    #expect(throws: (any Error).self) { try writer.finish() }
    #expect(try !tiny.names("models/epoch-0001").contains { $0.contains(".partial") })
    #expect(try BestModel.read(run: tiny.run).epoch == 0)
  }

  #if canImport(Glibc)
    @Test("a power loss leaves a complete best model: best.json is written last")
    func order() throws {
      let tiny = try TinyModel()
      try tiny.save(epoch: 0)
      // An earlier process created it and did not synchronize its name.
      let folder = "models/epoch-0001"
      try FileManager.default.createDirectory(
        atPath: "\(tiny.run)/\(folder)", withIntermediateDirectories: true)
      let watch = try FolderWatch(tiny.run, "models", folder)
      try tiny.save(epoch: 1)
      let events = watch.events()
      let best = try #require(events.firstIndex(of: .named("best.json")), "\(events)")
      let before = events[..<best]
      let named = try Self.files.map {
        try #require(before.firstIndex(of: .named("\(folder)/\($0)")), "\($0) in \(events)")
      }
      let last = try #require(named.max())
      for name in [folder, "models", ""] {
        #expect(before[last...].contains(.opened(name)), "'\(name)' in \(events)")
      }
      // The earlier model is deleted after best.json names the new one.
      let deletion = try #require(events.firstIndex(of: .deleted("models/epoch-0000")))
      #expect(events[..<deletion][best...].contains(.opened("")), "\(events)")
    }
  #endif
}
