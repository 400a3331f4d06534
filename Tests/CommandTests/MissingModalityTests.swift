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
    try folder.writeMask((0..<90).map { $0 % 3 > 0 }, to: "\(data)/image_mask.npy")
    let run = try train("--set", "missing=prior", "--objective", "plain")
    #expect(run.status == 78, "\(run.errors)")
    #expect(run.errors.contains("only MRdIB has a prior"), "\(run.errors)")
    let shuffled = try train("--set", "shuffle_modality=audio")
    #expect(shuffled.status != 0)
    #expect(
      shuffled.errors.contains("has no modality 'audio' to shuffle"), "\(shuffled.errors)")
    try folder.writeMask((0..<80).map { $0 % 3 > 0 }, to: "\(data)/image_mask.npy")
    let short = try train()
    #expect(short.status == 65, "\(short.errors)")
    #expect(
      short.errors.contains("has shape (80), but a mask has one boolean per item, 90"),
      "\(short.errors)")
  }

  @Test("rows of NaN that are not declared, and a share of items that is none, are refused")
  func refused() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    func train(_ settings: String...) throws -> Command {
      try Command(
        arguments: [
          "train", "--single-process", "--data", data, "--quiet", "--overwrite", "--run",
          folder.path("run"), "--epochs", "1",
        ] + settings.flatMap { ["--set", $0] })
    }
    for rate in ["-0.1", "1.5", "many"] {
      let command = try train("missing_rate=\(rate)")
      #expect(command.status == 78, "\(rate): \(command.errors)")
      #expect(command.errors.contains("missing_rate"), "\(command.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
    }
    try folder.writeNaN(rows: [4, 7], of: 90, in: "\(data)/text_feat.npy")
    let undeclared = try train()
    #expect(undeclared.status == 65, "\(undeclared.errors)")
    #expect(undeclared.errors.contains("row 4, column 0"), "\(undeclared.errors)")
    #expect(undeclared.errors.contains("--set nan_rows=missing"), "\(undeclared.errors)")
    let declared = try train("nan_rows=missing", "metric_groups=true")
    #expect(declared.status == 0, "\(declared.errors)")
    // Declared, but there are none: a run as without, with a warning.
    let whole = folder.path("whole")
    let other = try Command("data", "generate", "--out", whole, "--users", "150", "--items", "90")
    #expect(other.status == 0, "\(other.errors)")
    let absent = try Command(
      "train", "--single-process", "--data", whole, "--run", folder.path("absent"), "--epochs",
      "1", "--set", "nan_rows=missing", "--set", "missing=mean")
    #expect(absent.status == 0, "\(absent.errors)")
    #expect(absent.errors.contains("nan_rows=missing has no effect"), "\(absent.errors)")
    #expect(absent.errors.contains("missing=mean has no effect"), "\(absent.errors)")
    #expect(!declared.errors.contains("no effect"), "\(declared.errors)")
  }

  @Test("decompose leaves out items that lack a modality, and says how many")
  func decompose() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try FileManager.default.removeItem(atPath: "\(data)/dataset.yaml")
    try folder.writeMask((0..<90).map { $0 % 10 > 0 }, to: "\(data)/text_mask.npy")
    let run = folder.path("run")
    let train = try Command(
      "train", "--single-process", "--data", data, "--quiet", "--run", run, "--epochs", "1",
      "--set", "missing=prior")
    #expect(train.status == 0, "\(train.errors)")
    for options in [[run], ["--features", "--data", data]] {
      let command = try Command(arguments: ["decompose", "--json", "--quiet"] + options)
      #expect(command.status == 0, "\(command.errors)")
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
      #expect(object["items_left_out"] as? Int == 9)
      let modalities = try #require(object["modalities"] as? [[String: Any]])
      #expect(modalities.map { $0["items_without"] as? Int } == [0, 9])
    }
    let table = try Command("decompose", run, "--quiet")
    #expect(
      table.output.contains("9 items left out that lack a modality (9 without text)"),
      "\(table.output)")
    try folder.writeMask((0..<90).map { $0 == 0 }, to: "\(data)/text_mask.npy")
    let few = try Command("decompose", "--features", "--data", data, "--quiet")
    #expect(few.status == 65, "\(few.errors)")
    #expect(few.errors.contains("1 of its 90 items have all modalities"), "\(few.errors)")
  }
}
