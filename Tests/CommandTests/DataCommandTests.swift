import Foundation
import TestSupport
import Testing

/// Commands about data sets read the files that a run would read, and come to the same verdict.
@Suite struct DataCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("what a folder holds decides, not its name")
  func names() throws {
    let generated = try folder.generateData()
    let data = folder.path("lfm2k")
    try FileManager.default.moveItem(atPath: generated, toPath: data)
    let stats = try Command("data", "stats", data)
    #expect(stats.status == 0, "\(stats.errors)")
    #expect(stats.output.contains("visual") && !stats.output.contains("audio"))
    #expect(try Command("data", "validate", data).status == 0)
    // Without features and description, as in MMRec's folders before the download of features.
    for file in ["dataset.yaml", "image_feat.npy", "text_feat.npy"] {
      try FileManager.default.removeItem(atPath: "\(data)/\(file)")
    }
    #expect(try Command("data", "validate", data).status == 0)
    #expect(try Command("data", "stats", data).output.contains("none"))
    let plan = try Command("train", "--data", data, "--model", "bpr", "--dry-run")
    #expect(plan.status == 0, "\(plan.errors)")
  }

  @Test("a feature file that belongs to no modality is named by validate, stats and train")
  func unusedFeatures() throws {
    let data = try folder.generateData()
    try FileManager.default.copyItem(
      atPath: "\(data)/text_feat.npy", toPath: "\(data)/whisper_feat.npy")
    let warning = "whisper_feat.npy is not used: list it under modalities in dataset.yaml"
    for arguments in [
      ["data", "validate", data], ["data", "stats", data],
      ["train", "--data", data, "--model", "bpr", "--dry-run"],
    ] {
      let command = try Command(arguments: arguments)
      #expect(command.status == 0 && command.errors.contains(warning), "\(command.errors)")
    }
  }

  @Test("validate --json has problems with file, line and kind, or the figures")
  func json() throws {
    let data = try folder.generateData()
    func report(status: Int32) throws -> [String: Any] {
      let command = try Command("data", "validate", data, "--json")
      #expect(command.status == status, "\(command.errors)")
      let object = try JSONSerialization.jsonObject(with: Data(command.output.utf8))
      return try #require(object as? [String: Any])
    }
    let good = try report(status: 0)
    #expect(good["schema_version"] as? Int == 1 && good["usable"] as? Bool == true)
    #expect((good["statistics"] as? [String: Any])?["users"] as? Int == 150)
    try Data("nothing".utf8).write(to: URL(fileURLWithPath: "\(data)/image_feat.npy"))
    let bad = try report(status: 65)
    #expect(bad["usable"] as? Bool == false && bad["statistics"] is NSNull)
    let problems = try #require(bad["problems"] as? [[String: Any]])
    #expect(problems.count == 1 && problems[0]["kind"] as? String == "malformed")
    #expect((problems[0]["file"] as? String)?.hasSuffix("image_feat.npy") == true)
    #expect(problems[0]["line"] is NSNull)
  }

  @Test("features are added by id, and a run says how its data was made")
  func featuresByID() throws {
    let data = try folder.generateData()
    let rows = (0..<90).reversed().filter { $0 % 3 > 0 }.map { "\($0),\($0).5,1\n" }
    let source = try folder.write(rows.joined(), to: "price.csv")
    let add = try Command("data", "features", data, "--add", "price=\(source)", "--fill", "mean")
    #expect(add.status == 0, "\(add.errors)")
    #expect(add.output.contains("price: 60 of 90 items have it"))
    let stats = try Command("data", "stats", data)
    #expect(stats.output.contains("60 items have it, the others are the mean"), "\(stats.output)")
    #expect(stats.output.contains("made by") && stats.output.contains("source price.csv"))
    let again = try Command("data", "features", data, "--add", "price=\(source)")
    #expect(again.status == 78 && again.errors.contains("--overwrite"), "\(again.errors)")
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--model", "vbpr", "--epochs", "1", "--run", run,
      "--single-process", "--quiet")
    #expect(train.status == 0, "\(train.errors)")
    let summary = try folder.object("run/summary.json")
    let history = try #require(summary["data_history"] as? [[String: Any]])
    #expect(history.last?["step"] as? String == "features")
    #expect(history.last?["fill"] as? String == "mean")
  }
}
