import Checkpoints
import Coordinator
import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct RunDirectoryTests {
  private static let selection = SelectionRule(
    metric: "valid.recall@20", patience: 20, rounding: .fourDecimals)

  private static func storedRun(best: ModelSelection.Best?) -> StoredRun {
    StoredRun(
      identity: RunIdentity(
        id: "r", created: "2026-01-02T03:04:05Z", configuration: "", digests: [:]),
      progress: RunProgress(
        status: .earlyStopped, generation: 1, epochsFinished: 2, version: 16, best: best,
        isBestSaved: best != nil, nonImprovingCount: 1),
      message: "no further improvement after 2 epochs",
      epochs: [
        EpochSummary(epoch: 0, version: 8, values: ["loss.total": 0.5], seconds: 2),
        EpochSummary(epoch: 1, version: 16, values: ["loss.total": .nan], seconds: 3),
      ],
      evaluations: [
        EvaluationSummary(
          epoch: 0, version: 8,
          metrics: ["valid.recall@20": 0.1 + 0.2, "test.recall@20": 1.0 / 3, "test.ndcg@5": 0.25],
          users: ["valid": 3, "test": 3], materializeSeconds: 1, rankSeconds: 2),
        EvaluationSummary(
          epoch: 1, version: 16, metrics: ["valid.recall@20": 0.1], users: ["valid": 3],
          materializeSeconds: 1, rankSeconds: 2),
      ])
  }

  private static func summary(best: ModelSelection.Best?) -> RunSummary {
    RunSummary(
      details: .init(
        model: "vbpr", dataset: "lfm2k", seed: 999, parameterCount: 1234, selection: selection,
        totalSeconds: 12.5), run: storedRun(best: best))
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("the summary has the best epoch and unrounded metrics of both splits")
  func summary() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: "\(folder.path)/a/b")
    try directory.writeSummary(
      Self.summary(best: .init(epoch: 0, version: 8, value: 0.1 + 0.2)))
    let text = try folder.text("a/b/summary.json")
    let json = try object(text)
    #expect(json["best_epoch"] as? Int == 0)
    #expect((json["valid"] as? [String: Double])?.keys.sorted() == ["recall@20"])
    // The text itself: Foundation's reader drops the last digits of such numbers.
    #expect(text.contains("\"recall@20\" : 0.30000000000000004"))
    #expect(json["test"] as? [String: Double] == ["recall@20": 1.0 / 3, "ndcg@5": 0.25])
    #expect(json["schema_version"] as? Int == 1)
    #expect(json["model"] as? String == "vbpr")
    #expect(json["dataset"] as? String == "lfm2k")
    #expect(json["seed"] as? Int == 999)
    #expect(json["parameter_count"] as? Int == 1234)
    #expect(json["epochs_run"] as? Int == 2)
    #expect(json["outcome"] as? String == "early_stopped")
    #expect(
      json["seconds"] as? [String: Double] == ["total": 12.5, "train": 5, "evaluate": 6])
    let rule = try #require(json["selection"] as? [String: Any])
    #expect(rule["metric"] as? String == "valid.recall@20")
    #expect(rule["rounding"] as? String == "4 decimals")
    // No temporary file is left.
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(files.sorted() == ["logs", "summary.json"])
  }

  @Test("the summary has the staleness over all epochs, and none if rows are never stale")
  func staleness() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeSummary(Self.summary(best: nil))
    #expect(try object(folder.text("summary.json"))["staleness"] == nil)
    var summary = Self.summary(best: nil)
    summary.run.epochs[0].values = ["staleness.0": 3, "staleness.3": 1, "staleness.total": 3]
    summary.run.epochs[1].values = ["staleness.1": 4, "staleness.total": 4]
    try directory.writeSummary(summary)
    let staleness = try object(folder.text("summary.json"))["staleness"] as? [String: Double]
    #expect(staleness == ["mean": 7.0 / 8, "max": 3])
  }

  @Test("the summary has groups of users and items if they were measured")
  func groups() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    let best = ModelSelection.Best(epoch: 0, version: 8, value: 0.3)
    try directory.writeSummary(Self.summary(best: best))
    #expect(try object(folder.text("summary.json"))["groups"] == nil)
    var summary = Self.summary(best: best)
    for (name, users, recall) in [
      ("test items 7-90", 2.0, 0.5), ("test items 0-0", 1, 0), ("test users 9-12", 2, 0.25),
    ] {
      summary.run.evaluations[0].users[name] = users
      summary.run.evaluations[0].metrics["\(name).recall@20"] = recall
    }
    try directory.writeSummary(summary)
    let json = try object(folder.text("summary.json"))
    #expect((json["test"] as? [String: Double])?.keys.sorted() == ["ndcg@5", "recall@20"])
    let groups = try #require(json["groups"] as? [String: [[String: Any]]])
    #expect(Array(groups.keys) == ["test"])
    let test = try #require(groups["test"])
    #expect(test.map { $0["kind"] as? String } == ["users", "items", "items"])
    #expect(test.map { $0["fewest"] as? Int } == [9, 0, 7])
    #expect(test.map { $0["most"] as? Int } == [12, 0, 90])
    #expect(test.map { $0["users"] as? Int } == [2, 1, 2])
    #expect(
      test.map { ($0["metrics"] as? [String: Double])?["recall@20"] } == [0.25, 0, 0.5])
  }

  @Test("without a saved best model the summary says null and has empty objects")
  func summaryWithoutBest() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeSummary(Self.summary(best: nil))
    let json = try object(folder.text("summary.json"))
    #expect(json["best_epoch"] is NSNull)
    #expect((json["valid"] as? [String: Double])?.isEmpty == true)
    #expect((json["test"] as? [String: Double])?.isEmpty == true)
  }

  @Test("metrics.jsonl grows by one complete line per epoch, with null for NaN")
  func metrics() throws {
    let folder = try TemporaryFolder()
    let run = Self.storedRun(best: nil)
    let log = try MetricsLog(path: "\(folder.path)/metrics.jsonl")
    try log.append(run.epochs[0], evaluation: run.evaluations[0])
    let first = try folder.text("metrics.jsonl")
    #expect(first.hasSuffix("}\n"))
    let json = try object(first)
    #expect(json["epoch"] as? Int == 0)
    #expect(json["loss"] as? [String: Double] == ["total": 0.5])
    #expect(json["seconds"] as? [String: Double] == ["train": 2, "evaluate": 3])
    #expect((json["test"] as? [String: Double])?["recall@20"] == 1.0 / 3)
    try log.append(run.epochs[1], evaluation: nil)
    let lines = try folder.text("metrics.jsonl").split(separator: "\n")
    #expect(lines.count == 2)
    let second = try object(String(lines[1]))
    #expect((second["loss"] as? [String: Any])?["total"] is NSNull)
    #expect(second["valid"] == nil)
    // A log that is opened again is appended to.
    try MetricsLog(path: "\(folder.path)/metrics.jsonl").append(run.epochs[0], evaluation: nil)
    #expect(try folder.text("metrics.jsonl").split(separator: "\n").count == 3)
  }

  @Test("a folder that holds a run is refused with what to do")
  func refusesRun() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeConfiguration("model: vbpr\n")
    #expect {
      try RunDirectory.create(at: folder.path)
    } throws: { error in
      (error as? RuntimeError)?.exitCode == .cannotCreate && "\(error)".contains(folder.path)
        && "\(error)".contains("did not end") && "\(error)".contains("--overwrite")
    }
    try directory.writeSummary(Self.summary(best: nil))
    #expect {
      try RunDirectory.create(at: folder.path)
    } throws: { "\($0)".contains("a run that has ended") }
  }

  @Test("replacing a run removes the run's files and nothing else")
  func replacesRun() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeConfiguration("model: vbpr\n")
    try directory.writeSummary(Self.summary(best: nil))
    try "mine".write(toFile: "\(folder.path)/notes.txt", atomically: true, encoding: .utf8)
    try "old".write(
      toFile: "\(directory.logDirectory)/worker-0.log", atomically: true, encoding: .utf8)
    _ = try RunDirectory.create(at: folder.path, existingRun: .replace)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(files.sorted() == ["logs", "notes.txt"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.logDirectory).isEmpty)
  }

  @Test("replacing a run removes best.json first, then the model, and the run's records last")
  func replacesModel() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeSummary(Self.summary(best: nil))
    try folder.make("models/epoch-0001/user.npy")
    try folder.make("checkpoints/v0000000012-g1/manifest.json")
    try folder.make("best.json")
    try folder.make("logs/worker-0.log")
    let names = directory.oldFiles.map { $0.dropFirst(folder.path.count + 1) }
    #expect(
      names.prefix(4) == [
        "best.json", "models/epoch-0001", "checkpoints/v0000000012-g1", "logs/worker-0.log",
      ])
    _ = try RunDirectory.create(at: folder.path, existingRun: .replace)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["logs"])
  }

  @Test("replacing a run keeps other files in its folders")
  func keepsForeignFiles() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeSummary(Self.summary(best: nil))
    let foreign = [
      "models/mine.py", "models/epoch-notes", "checkpoints/bert.ckpt", "logs/notes.log",
    ]
    for file in foreign { try folder.make(file) }
    for name in ["epoch-0001", "epoch-0002-again"] { try folder.make("models/\(name)/user.npy") }
    _ = try RunDirectory.create(at: folder.path, existingRun: .replace)
    let files = FileManager.default
    for file in foreign { #expect(files.fileExists(atPath: "\(folder.path)/\(file)"), "\(file)") }
    for name in ["epoch-0001", "epoch-0002-again"] {
      #expect(!files.fileExists(atPath: "\(folder.path)/models/\(name)"))
    }
  }

  @Test("a best model alone counts as a run")
  func modelAlone() throws {
    let folder = try TemporaryFolder()
    try folder.make("best.json")
    #expect {
      try RunDirectory.create(at: folder.path)
    } throws: { "\($0)".contains("best.json") && "\($0)".contains("--overwrite") }
  }

  @Test("a file in the place of the folder is an error with the path")
  func fileInTheWay() throws {
    let folder = try TemporaryFolder()
    try "x".write(toFile: "\(folder.path)/run", atomically: true, encoding: .utf8)
    #expect {
      try RunDirectory.create(at: "\(folder.path)/run")
    } throws: { "\($0)".contains("\(folder.path)/run") && "\($0)".hasPrefix("Cannot make") }
  }

  #if canImport(Glibc)
    @Test("a new run directory survives a power loss: its parent folder is synchronized")
    func lasts() throws {
      let folder = try TemporaryFolder()
      let watch = try FolderWatch(folder.path)
      _ = try RunDirectory.create(at: "\(folder.path)/run")
      #expect(watch.events() == [.opened("")])
    }
  #endif

  @Test("a full disk is an error that names the file")
  func fullDisk() throws {
    let sealed = try FullDiskFile()
    #expect {
      try MetricsLog(path: sealed.path).append(
        Self.storedRun(best: nil).epochs[0], evaluation: nil)
    } throws: { error in
      ExitCode(describing: error) == .inputOutput && "\(error)".contains(sealed.path)
    }
  }

  @Test("a failed replacement leaves the old file and no other")
  func atomicFailure() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/target", withIntermediateDirectories: true)
    // A folder cannot be replaced by a file.
    #expect(throws: CheckpointError.self) {
      try DurableFile.write(Array("new".utf8), to: "\(folder.path)/target")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["target"])
  }

  @Test("the environment names the machine, the program and the command line")
  func environment() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.writeEnvironment(
      .capture(
        version: "1.0", gitCommit: "abc",
        openBLAS: .init(core: "SkylakeX", chosen: "SkylakeX", configuration: "0.3"),
        started: Date(timeIntervalSince1970: 0), commandLine: ["mrdib", "train"],
        cpuInfo: "processor : 0\nmodel name\t: Fast CPU: 3 GHz\n"))
    let json = try object(folder.text("environment.json"))
    #expect(json["cpu_model"] as? String == "Fast CPU: 3 GHz")
    #expect(json["git_commit"] as? String == "abc")
    #expect(json["command_line"] as? [String] == ["mrdib", "train"])
    #expect(json["started"] as? String == "1970-01-01T00:00:00Z")
    #expect((json["memory_bytes"] as? Int ?? 0) > 1_000_000)
    #expect((json["cpu_cores"] as? Int ?? 0) >= 1)
    #expect((json["openblas"] as? [String: String])?["core"] == "SkylakeX")
  }

  @Test("a start that resumes is added to the environment, whose first start stays")
  func resumedEnvironment() throws {
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    for second in 0...102 {
      try directory.writeEnvironment(
        .capture(
          version: "1.0", gitCommit: nil,
          openBLAS: .init(core: "Haswell", chosen: "Haswell", configuration: "0.3"),
          started: Date(timeIntervalSince1970: Double(second)),
          commandLine: ["mrdib", "train", "\(second)"]))
    }
    var json = try object(folder.text("environment.json"))
    #expect(json["command_line"] as? [String] == ["mrdib", "train", "0"])
    #expect(json["started"] as? String == "1970-01-01T00:00:00Z")
    let resumed = try #require(json["resumed"] as? [[String: Any]])
    #expect(resumed.count == 100)
    #expect(resumed.first?["command_line"] as? [String] == ["mrdib", "train", "3"])
    #expect(resumed.last?["started"] as? String == "1970-01-01T00:01:42Z")
    // One that is damaged is replaced.
    try folder.write("{", to: "environment.json")
    try directory.recordStart()
    json = try object(folder.text("environment.json"))
    #expect(json["command_line"] as? [String] == CommandLine.arguments)
    #expect(json["resumed"] == nil)
  }

  @Test("the standard folder is made of model, data set, time and configuration digest")
  func standardPath() {
    let path = RunDirectory.standardPath(
      model: "vbpr", dataset: "a/b", configurationDigest: "0123456789abcdef",
      date: Date(timeIntervalSince1970: 86_400 + 3661), timeZone: .gmt)
    #expect(path == "runs/vbpr-a_b/19700102-010101-01234567")
  }
}
