import Foundation
import TestSupport
import Testing

/// Items that lack modalities, in real processes.
@Suite(.serialized) struct MissingModalityTests {
  static let cases = [
    // Codes of the prior, left-out terms.
    ["--model", "vbpr", "--objective", "mrdib", "--set", "missing=prior"],
    // Graphs without the items; rows from their neighbours.
    ["--model", "freedom", "--objective", "plain", "--set", "missing=neighbours"],
  ]

  /// An npy file of booleans, as `np.save` writes it.
  private static func writeMask(_ mask: [Bool], to path: String) throws {
    let text = "{'descr': '|b1', 'fortran_order': False, 'shape': (\(mask.count),), }"
    let header = text + String(repeating: " ", count: 117 - text.count) + "\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
    try Data(bytes + mask.map { $0 ? 1 : 0 }).write(to: URL(fileURLWithPath: path))
  }

  @Test("two workers and two servers end in the bits of the single process", arguments: cases)
  func sameBits(options: [String]) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options =
      options + [
        "--set", "missing_rate=0.3", "--set", "shuffle_modality=visual", "--set",
        "metric_groups=true",
      ]
    let alone = try folder.train("alone", data: data, options + ["--single-process"])
    let cluster = try folder.train(
      "cluster", data: data, options + ["--workers", "2", "--servers", "2"])
    #expect(cluster == alone)
    let summary = try folder.object("alone/summary.json")
    let groups = try #require(
      (summary["groups"] as? [String: Any])?["test"] as? [[String: Any]])
    #expect(groups.filter { $0["kind"] as? String == "modalities" }.count == 3)
  }

  @Test("a run is not continued with other missing items, and is with the same")
  func resuming() throws {
    let long = try LongRun()
    let options = ["--single-process", "--set", "missing_rate=0.2"]
    let train = try long.start("run", options)
    try long.wait(for: 5, of: "run", while: train)
    train.interrupt()
    #expect(try train.wait() == 130, "\(train.errors)")
    let refused = try Command(
      arguments: ["train"] + long.settings("run") + options + ["--set", "missing=mean"])
    #expect(refused.status == 78, "\(refused.errors)")
    #expect(refused.errors.contains("missing was unset and is mean now"), "\(refused.errors)")
    #expect(try long.complete("run", options) == long.complete("whole", options))
  }

  @Test("a mask next to the features is used; one of another length is refused by a sentence")
  func masks() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    func train(_ options: String...) throws -> Command {
      try Command(
        arguments: [
          "train", "--single-process", "--data", data, "--quiet", "--overwrite", "--run",
          folder.path("run"), "--epochs", "1",
        ] + options)
    }
    // A description lists masks itself.
    try FileManager.default.removeItem(atPath: "\(data)/dataset.yaml")
    try Self.writeMask((0..<90).map { $0 % 3 > 0 }, to: "\(data)/image_mask.npy")
    let run = try train("--set", "missing=prior", "--objective", "plain")
    #expect(run.status == 78, "\(run.errors)")
    #expect(run.errors.contains("only MRdIB has a prior"), "\(run.errors)")
    let shuffled = try train("--set", "shuffle_modality=audio")
    #expect(shuffled.status != 0)
    #expect(
      shuffled.errors.contains("has no modality 'audio' to shuffle"), "\(shuffled.errors)")
    try Self.writeMask((0..<80).map { $0 % 3 > 0 }, to: "\(data)/image_mask.npy")
    let short = try train()
    #expect(short.status == 65, "\(short.errors)")
    #expect(
      short.errors.contains("has shape (80), but a mask has one boolean per item, 90"),
      "\(short.errors)")
  }
}
