import Datasets
import Foundation
import TestSupport
import Testing

/// Files of a data set that change while it is in use.
@Suite("the files of a data set in use")
struct DatasetSourcesTests {
  private let folder: TemporaryFolder
  private let dataset: Dataset
  private let features: String

  init() throws {
    folder = try TemporaryFolder(name: "data")
    try SmallData.write(to: folder)
    dataset = try Dataset.load(folder: folder.path, needsFeatures: true)
    features = try #require(dataset.features.first?.file?.path)
  }

  private var problem: DatasetError? {
    do {
      _ = try dataset.sources.check()
      return nil
    } catch { return error }
  }

  private func flipLastByte(of path: String) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    defer { try? file.close() }
    let end = try file.seekToEnd()
    try file.seek(toOffset: end - 1)
    let last = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: end - 1)
    try file.write(contentsOf: Data([last ^ 1]))
  }

  @Test("files without changes are unchanged, also when their times were set")
  func touched() throws {
    #expect(try dataset.sources.check() == [] && dataset.sources.isUnchanged)
    #expect(utimes(features, nil) == 0)
    #expect(try dataset.sources.check() == [] && dataset.sources.isUnchanged)
  }

  @Test("a byte that changes in place is noticed, also if the times do not show it")
  func overwritten() throws {
    var before = stat()
    #expect(stat(features, &before) == 0)
    try flipLastByte(of: features)
    #expect(problem?.kind == .changed && problem?.path == features)
    #expect(!dataset.sources.isUnchanged)
    try flipLastByte(of: features)
    #expect(problem == nil, "what was put back is what it was")
  }

  @Test("a file that is cut off, or longer, is noticed without being read")
  func otherSize() throws {
    #expect(truncate(features, 10) == 0)
    #expect(problem?.kind == .changed && problem?.path == features)
  }

  @Test("interactions that are overwritten are noticed, though they are in memory")
  func interactions() throws {
    let name = try #require(try folder.files.first { $0.hasSuffix(".inter") })
    try flipLastByte(of: folder.path(name))
    #expect(problem?.kind == .changed && problem?.path == folder.path(name))
  }

  @Test("a file that is replaced or removed is reported once, as a warning")
  func replaced() throws {
    var bytes = try TemporaryFolder.contents(of: features)
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: features), options: .atomic)
    let notices = try dataset.sources.check()
    #expect(notices.count == 1)
    #expect(notices[0].contains("\(features): was deleted, moved or replaced"))
    #expect(try dataset.sources.check() == [])
    try FileManager.default.removeItem(atPath: features)
    #expect(try dataset.sources.check() == [] && dataset.sources.isUnchanged)
  }

  @Test("reading beyond the end of a shortened mapped file ends the process with code 74")
  func cutOff() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(74), observing: [\.standardErrorContent]
    ) { [features = features as String] in
      let file = try NPYFile(path: features)
      truncate(features, 0)
      // As in a worker: signals are blocked on such threads unless a job unblocks them.
      await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
        DispatchQueue(label: "test").async {
          MappedFile.unblockBusErrors()
          var row = [Float](repeating: 0, count: file.columns)
          file.copyRow(0, to: &row)
          continuation.resume()
        }
      }
    }
    let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(errors.contains("'\(features)' was shortened while it was in use"), "\(errors)")
  }
}
