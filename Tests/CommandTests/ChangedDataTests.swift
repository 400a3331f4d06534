import Foundation
import TestSupport
import Testing

/// Data files that are changed while a run trains on them.
@Suite(.serialized) struct ChangedDataTests {
  private static let shapes = [["--single-process"], ["--workers", "2", "--servers", "2"]]

  /// The features that stay mapped.
  private func features(_ long: LongRun) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: long.data).sorted()
    return "\(long.data)/\(try #require(names.first { $0.hasSuffix("_feat.npy") }))"
  }

  private func interactions(_ long: LongRun) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: long.data)
    return "\(long.data)/\(try #require(names.first { $0.hasSuffix(".inter") }))"
  }

  private func disturb(
    _ shape: [String], _ change: (LongRun) throws -> Void
  ) throws -> (LongRun, errors: String, status: Int32) {
    let long = try LongRun()
    let train = try long.start("run", shape)
    try long.wait(for: 10, of: "run", while: train)
    try change(long)
    let status = try train.wait()
    return (long, train.errors, status)
  }

  /// Writes over the last bytes of a file, in place.
  private func overwrite(_ path: String, with bytes: [UInt8]) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    defer { try? file.close() }
    let end = try file.seekToEnd()
    try file.seek(toOffset: end - UInt64(bytes.count))
    try file.write(contentsOf: bytes)
  }

  @Test("features that are overwritten in place end the run", arguments: shapes)
  func overwrittenFeatures(shape: [String]) throws {
    var changed = ""
    let (long, errors, status) = try disturb(shape) { long in
      changed = try features(long)
      try overwrite(changed, with: [0, 0, 0x40, 0x40])
    }
    #expect(status == 65, "\(errors)")
    #expect(errors.contains("\(changed): was overwritten during the run"), "\(errors)")
    #expect(long.epochCount("run") < LongRun.epochs)
  }

  @Test("interactions that are overwritten in place end the run", arguments: shapes)
  func overwrittenInteractions(shape: [String]) throws {
    let (_, errors, status) = try disturb(shape) { long in
      try overwrite(try interactions(long), with: [UInt8(ascii: "1"), UInt8(ascii: "\n")])
      let file = try #require(FileHandle(forUpdatingAtPath: try interactions(long)))
      try file.seekToEnd()
      try file.write(contentsOf: Data("0\t0\t1\t0\t0\n".utf8))
      try file.close()
    }
    #expect(status == 65, "\(errors)")
    #expect(errors.contains(".inter: was overwritten during the run"), "\(errors)")
  }

  @Test(
    "truncated features end the run with a message, not with a signal", arguments: shapes)
  func truncatedFeatures(shape: [String]) throws {
    let (_, errors, status) = try disturb(shape) { long in
      let path = try features(long)
      #expect(truncate(path, 0) == 0)
    }
    // A process that reads the removed part reports it before the epoch is over.
    #expect([65, 74].contains(status), "\(errors)")
    let isReported =
      errors.contains("_feat.npy' was shortened while it was in use")
      || errors.contains("_feat.npy: was overwritten during the run")
    #expect(isReported, "\(errors)")
    #expect(!errors.contains("signal"), "\(errors)")
  }

  @Test(
    "files that are touched, or replaced by renaming, change no bit",
    arguments: shapes)
  func harmless(shape: [String]) throws {
    let (long, errors, status) = try disturb(shape) { long in
      let features = try features(long)
      for path in [features, try interactions(long)] { #expect(utimes(path, nil) == 0) }
      // Written under another name and renamed, as data should be.
      var other = try Data(contentsOf: URL(fileURLWithPath: features))
      other[other.count - 2] ^= 1
      try other.write(to: URL(fileURLWithPath: features), options: .atomic)
    }
    #expect(status == 0, "\(errors)")
    #expect(try long.result("run") == long.undisturbed())
  }
}
