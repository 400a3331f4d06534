import Foundation
import TestSupport
import Testing

/// Invalid input: one sentence that names the place, and an exit code.
@Suite struct BadInputTests {
  private func check(
    _ arguments: [String], status: Int32, says words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let command = try Command(arguments: arguments)
    #expect(command.status == status, "\(command.errors)", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        command.errors.contains(word), "'\(word)' in: \(command.errors)",
        sourceLocation: sourceLocation)
    }
    #expect(command.output.isEmpty, "stdout is for results", sourceLocation: sourceLocation)
  }

  @Test("settings: unknown key, wrong type, out of range, contradiction")
  func settings() throws {
    try check(
      ["train", "--set", "learnin_rate=1"], status: 78, says: "--set learnin_rate=1",
      "did you mean 'learning_rate'")
    try check(["train", "--set", "epochs=many"], status: 78, says: "epochs", "many")
    try check(["train", "--set", "epochs=0"], status: 78, says: "epochs", "from 1 to")
    try check(
      ["train", "--set", "hang_timeout_ms=10"], status: 78, says: "hang_timeout_ms",
      "0, or from 1000 to")
    try check(["train", "--model", "vbrp"], status: 78, says: "vbrp", "did you mean 'vbpr'")
    try check(
      ["train", "--model", "bpr", "--objective", "mrdib"], status: 78, says: "--objective plain")
  }

  @Test("a configuration file: the message has file, line and column")
  func configurationFile() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/mine.yaml"
    try Data("seed: 3\nepoch: 5\n".utf8).write(to: URL(fileURLWithPath: path))
    try check(
      ["train", "--config", path], status: 78, says: "\(path):2:1", "did you mean 'epochs'")
    try check(["train", "--config", "\(folder.path)/none.yaml"], status: 78, says: "none.yaml")
  }

  @Test("what to resume, and names of processes")
  func options() throws {
    for command in ["train", "coordinator"] {
      try check(
        [command, "--resume", "atuo"], status: 64, says: "'atuo'", "auto, servers, never, or")
    }
    for role in ["worker", "server"] {
      try check([role, "--name", "my worker"], status: 64, says: "'my worker'", "without blanks")
    }
  }

  @Test("data: missing folder, damaged files")
  func data() throws {
    let folder = try TemporaryFolder()
    try check(["train", "--data", "\(folder.path)/none"], status: 66, says: "none")
    let data = try folder.generateData()
    let file = URL(fileURLWithPath: "\(data)/synthetic.inter")
    let good = try Data(contentsOf: file)
    var lines = String(decoding: good, as: UTF8.self).components(separatedBy: "\n")
    lines[4] = "x\t1\t1\t0\t0"
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    try check(["train", "--data", data], status: 65, says: "synthetic.inter:5")
    try good.write(to: file)
    let features = URL(fileURLWithPath: "\(data)/text_feat.npy")
    let bytes = try Data(contentsOf: features)
    try bytes.prefix(bytes.count - 100).write(to: features)
    try check(["data", "validate", data], status: 65, says: "text_feat.npy")
  }

  @Test("run directories: one that is taken, one that cannot be made")
  func runDirectories() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = "\(folder.path)/run"
    let arguments = [
      "train", "--data", data, "--single-process", "--epochs", "1", "--quiet", "--run", run,
    ]
    #expect(try Command(arguments: arguments).status == 0)
    // The same command resumes the run, which has nothing left to train.
    #expect(try Command(arguments: arguments).status == 0)
    try check(arguments + ["--resume", "never"], status: 73, says: run, "--overwrite")
    try check(
      arguments + ["--set", "learning_rate=0.5"], status: 78,
      says: run, "learning_rate was", "--overwrite")
    #expect(try Command(arguments: arguments + ["--overwrite"]).status == 0)
    try check(
      ["train", "--data", data, "--run", "\(data)/synthetic.inter/run"], status: 73,
      says: "synthetic.inter/run")
    try check(
      [
        "train", "--data", data, "--run", "\(folder.path)/other", "--set",
        "checkpoint_folder=\(data)/synthetic.inter",
      ], status: 73, says: "synthetic.inter")
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/other/run.sqlite"))
  }

  @Test("tools: no such run, no such user, unknown option")
  func tools() throws {
    let folder = try TemporaryFolder()
    try check(
      ["recommend", "--run", folder.path, "--user", "1"], status: 66, says: "best.json")
    try check(
      ["export", "--run", folder.path, "--out", folder.path], status: 66, says: "best.json")
    try check(["train", "--modle", "bpr"], status: 64, says: "--model")
  }

  @Test("a negative number is read as an option's value, and the message names the allowed ones")
  func negativeValues() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let run = "\(folder.path)/run"
    let trained = try Command(
      "train", "--data", data, "--single-process", "--epochs", "1", "--quiet", "--run", run)
    #expect(trained.status == 0, "\(trained.errors)")
    try check(["recommend", "--run", run, "--user", "-1"], status: 64, says: "user -1", "from 0")
    try check(
      ["recommend", "--run", run, "--user", "1", "--top", "-5"], status: 64, says: "-5 items",
      "at least one")
    for option in ["seed", "epochs", "workers", "servers", "shards"] {
      try check(["train", "--\(option)", "-1"], status: 78, says: "--\(option) -1", "'-1'")
    }
    try check(["sweep", "--jobs", "-1"], status: 64, says: "--jobs must be at least 1")
    try check(["worker", "--join-timeout", "-1"], status: 64, says: "--join-timeout is -1")
    let out = "\(folder.path)/made"
    for option in ["users", "items", "interactions", "dimensions", "noise-dimensions", "shared"] {
      try check(
        ["data", "generate", "--out", out, "--\(option)", "-5"], status: 78, says: "-5",
        "but must be")
    }
    try check(["data", "generate", "--out", out, "--seed", "-1"], status: 64, says: "at least 0")
    try check(
      ["data", "generate", "--out", out, "--dimensions", "9223372036854775807"], status: 78,
      says: "but must be")
    try check(["simulate", "--seeds", "0"], status: 64, says: "expected a number from 1")
    try check(["train", "--overwrite", "-1"], status: 64, says: "--overwrite")
  }

  @Test("a run directory whose path is too long for its records is refused before it is created")
  func longRunDirectory() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let part = String(repeating: "x", count: 200)
    let grid = ["--set", "seed=[1, 2]", "--set", "hyper_parameters=[seed]"]
    for command in [["train"], ["sweep"] + grid] {
      try check(
        command + ["--data", data, "--run", "\(folder.path)/\(part)/\(part)/\(part)/run"],
        status: 73, says: "SQLite takes 504", "shorter path")
    }
    #expect(try folder.files == ["data"])
  }

  @Test("an empty test split: validation is printed, and a line says that test is missing")
  func noTestRows() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let file = URL(fileURLWithPath: "\(data)/synthetic.inter")
    let text = try String(contentsOf: file, encoding: .utf8)
    let kept = text.split(separator: "\n").filter { !$0.hasSuffix("\t2") }
    try Data((kept.joined(separator: "\n") + "\n").utf8).write(to: file)
    let run = "\(folder.path)/run"
    let trained = try Command(
      "train", "--data", data, "--single-process", "--epochs", "1", "--quiet", "--run", run)
    #expect(trained.status == 0, "\(trained.errors)")
    let row = try #require(
      trained.output.split(separator: "\n").first { $0.hasPrefix("recall@20") })
    #expect(row.hasSuffix("\t-") && row.contains("0."), "\(row)")
    #expect(trained.output.contains("no test metrics"))
    try check(["compare", run], status: 65, says: "test metrics", "no rows of that split")
    #expect(try Command("compare", "--split", "valid", run).status == 0)
  }

  @Test("a data folder with quotation marks in its name is found")
  func quotedFolder() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let quoted = "\(folder.path)/o'\"brien"
    try FileManager.default.moveItem(atPath: data, toPath: quoted)
    let plan = try Command("train", "--dry-run", "--data", quoted)
    #expect(plan.status == 0, "\(plan.errors)")
  }

  @Test("control characters in foreign text do not reach the terminal")
  func escapes() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    try folder.write("name: \"a\\e[31mb\"\n", to: "data/dataset.yaml")
    for arguments in [["data", "stats", data], ["train", "--dry-run", "--data", data]] {
      let command = try Command(arguments: arguments)
      #expect(command.status == 0, "\(command.errors)")
      #expect(command.output.contains("a?[31mb") && !command.output.contains("\u{1B}"))
    }
    for arguments in [
      ["data", "validate", "\(folder.path)/no\u{1B}[31mne"],
      ["train", "--set", "see\u{1B}[31md=1"], ["train", "--set", "seed=\u{1B}[31m"],
      ["train", "--run", "\(data)/synthetic.inter/\u{1B}[31m"],
      ["worker", "--coordinator", "tcp://\u{1B}[31m"],
      ["recommend", "--run", "\u{1B}", "--user", "1"],
    ] {
      let command = try Command(arguments: arguments)
      #expect(command.status != 0)
      #expect(!command.errors.contains("\u{1B}"), "\(command.errors.debugDescription)")
    }
  }

  @Test("a worker without a coordinator exits with the code for a retry")
  func noCoordinator() throws {
    let folder = try TemporaryFolder()
    try check(
      ["worker", "--coordinator", "ipc://\(folder.path)/none.sock", "--join-timeout", "1"],
      status: 138, says: "the coordinator has not answered")
    try check(
      ["worker", "--coordinator", "nonsense"], status: 69, says: "nonsense")
  }

  @Test("the message of a server that cannot listen has the address and the reason")
  func addressInUse() throws {
    let folder = try TemporaryFolder()
    try check(
      [
        "server", "--coordinator", "ipc://\(folder.path)/c.sock", "--listen",
        "tcp://203.0.113.7:4000", "--insecure-network",
      ], status: 69, says: "203.0.113.7")
  }
}
