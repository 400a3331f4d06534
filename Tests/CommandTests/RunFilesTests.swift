import Foundation
import TestSupport
import Testing

/// Runs whose files are moved, deleted or changed while they are used.
@Suite(.serialized) struct RunFilesTests {
  private let files = FileManager.default

  private static let cluster = ["--workers", "2", "--servers", "2"]
  private static let shapes = [["--single-process"], cluster]

  /// Stops a process, lets the body change its run, and kills the process.
  private func killCoordinator(of train: RunningCommand, after change: () throws -> Void) throws {
    let coordinator = try #require(train.child("coordinator"))
    kill(coordinator, SIGSTOP)
    defer { kill(coordinator, SIGKILL) }
    try change()
  }

  private func removeRecords(of long: LongRun) throws {
    for suffix in ["", "-wal", "-shm"] {
      try files.removeItem(atPath: "\(long.path("run"))/run.sqlite\(suffix)")
    }
  }

  @Test("records deleted, then the coordinator killed: the next one does not begin a new run")
  func recordsAndCoordinatorLost() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 10, of: "run", while: train)
    let children = train.children
    try killCoordinator(of: train) { try removeRecords(of: long) }
    #expect(try train.wait() == 66, "\(train.errors)")
    #expect(train.errors.contains("run.sqlite' are missing"), "\(train.errors)")
    #expect(!files.fileExists(atPath: "\(long.path("run"))/run.sqlite"))
    for child in children.keys { #expect(kill(child, 0) != 0, "\(child) is left") }
  }

  @Test("only the servers' tables show that records are missing: that is enough")
  func onlyServersRemember() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 10, of: "run", while: train)
    try killCoordinator(of: train) {
      try removeRecords(of: long)
      for name in ["metrics.jsonl", "best.json"] {
        try files.removeItem(atPath: "\(long.path("run"))/\(name)")
      }
    }
    #expect(try train.wait() == 66, "\(train.errors)")
    #expect(train.errors.contains("it was never begun"), "\(train.errors)")
  }

  @Test("records deleted under a run that is training end it", arguments: shapes)
  func recordsDeleted(shape: [String]) throws {
    let long = try LongRun()
    let train = try long.start("run", shape)
    try long.wait(for: 10, of: "run", while: train)
    try files.removeItem(atPath: "\(long.path("run"))/run.sqlite")
    #expect(try train.wait() == 74, "\(train.errors)")
    #expect(
      train.errors.contains("run.sqlite' was moved, deleted or replaced"), "\(train.errors)")
    #expect(!files.fileExists(atPath: "\(long.path("run"))/run.sqlite"))
  }

  @Test("a run directory that is moved ends the run; put back, it resumes", arguments: shapes)
  func moved(shape: [String]) throws {
    let long = try LongRun()
    let train = try long.start("run", shape)
    try long.wait(for: 10, of: "run", while: train)
    try files.moveItem(atPath: long.path("run"), toPath: long.path("elsewhere"))
    #expect(try train.wait() == 74, "\(train.errors)")
    #expect(
      train.errors.contains("its directory was moved, deleted or replaced"), "\(train.errors)")
    #expect(!files.fileExists(atPath: long.path("run")), "something was written to the old place")
    try files.moveItem(atPath: long.path("elsewhere"), toPath: long.path("run"))
    #expect(try long.complete("run", shape) == long.undisturbed())
    let verified = try Command("checkpoint", "verify", long.path("run"))
    #expect(verified.status == 0, "\(verified.output) \(verified.errors)")
    #expect(verified.output.contains("records: good, 100 epochs"), "\(verified.output)")
  }

  @Test("a folder that replaces the run's gets neither model nor summary")
  func replaced() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 10, of: "run", while: train)
    try files.moveItem(atPath: long.path("run"), toPath: long.path("elsewhere"))
    try files.createDirectory(atPath: long.path("run"), withIntermediateDirectories: false)
    #expect(try train.wait() == 74, "\(train.errors)")
    #expect(
      train.errors.contains("its directory was moved, deleted or replaced"), "\(train.errors)")
    for name in ["best.json", "models", "summary.json", "metrics.jsonl", "run.sqlite"] {
      #expect(!files.fileExists(atPath: "\(long.path("run"))/\(name)"), "\(name)")
    }
  }

  @Test("a coordinator that is restarted without its directory names what is missing")
  func movedAndKilled() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 10, of: "run", while: train)
    try killCoordinator(of: train) {
      try files.moveItem(atPath: long.path("run"), toPath: long.path("elsewhere"))
    }
    #expect(try train.wait() == 66, "\(train.errors)")
    #expect(train.errors.contains("config.resolved.yaml' is missing"), "\(train.errors)")
    #expect(!files.fileExists(atPath: long.path("run")))
  }

  @Test("settings that were edited during a run are refused by the next coordinator")
  func editedConfiguration() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 10, of: "run", while: train)
    let path = "\(long.path("run"))/config.resolved.yaml"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let edited = text.replacing(/(?m)^seed: \d+/, with: "seed: 4711")
    #expect(edited != text, "\(text)")
    try killCoordinator(of: train) {
      try edited.write(toFile: path, atomically: true, encoding: .utf8)
    }
    #expect(try train.wait() == 78, "\(train.errors)")
    #expect(train.errors.contains("seed was 999 and is 4711 now"), "\(train.errors)")
  }

  @Test("a deleted lock file does not allow a second run in the directory")
  func lockDeleted() throws {
    let long = try LongRun()
    let train = try long.start("run", Self.cluster)
    try long.wait(for: 5, of: "run", while: train)
    try files.removeItem(atPath: "\(long.path("run"))/lock")
    let second = try Command(arguments: ["train"] + long.settings("run"))
    #expect(second.status == 73, "\(second.errors)")
    #expect(second.errors.contains("is using the folder"), "\(second.errors)")
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("a metrics file that was moved is written again", arguments: shapes)
  func metricsMoved(shape: [String]) throws {
    let long = try LongRun()
    let train = try long.start("run", shape)
    try long.wait(for: 10, of: "run", while: train)
    let path = "\(long.path("run"))/metrics.jsonl"
    try files.moveItem(atPath: path, toPath: "\(path).1")
    #expect(try train.wait() == 0, "\(train.errors)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("verify, and the next start, compare the records with the files")
  func disagreement() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--single-process"])
    let best = "\(long.path("run"))/best.json"
    try Wait.until("a best model") { files.fileExists(atPath: best) }
    let early = try Data(contentsOf: URL(fileURLWithPath: best))
    #expect(try train.wait() == 0, "\(train.errors)")
    let last = try Data(contentsOf: URL(fileURLWithPath: best))
    #expect(last != early)

    func check(
      _ name: String, _ sentence: String, change: (inout Data) throws -> Void
    ) throws {
      let url = URL(fileURLWithPath: "\(long.path("run"))/\(name)")
      let whole = try Data(contentsOf: url)
      var changed = whole
      try change(&changed)
      try changed.write(to: url)
      let verified = try Command("checkpoint", "verify", long.path("run"))
      #expect(verified.status == 65, "\(name): \(verified.output)")
      #expect(verified.output.contains(sentence), "\(verified.output)")
      try whole.write(to: url)
    }
    try check("best.json", "but run.sqlite has epoch") { $0 = early }
    try check("metrics.jsonl", "metrics.jsonl has 99 epochs, but run.sqlite has 100") { data in
      data = data.prefix(upTo: try #require(data.dropLast().lastIndex(of: UInt8(ascii: "\n"))) + 1)
    }
    try check("metrics.jsonl", "line 1 of metrics.jsonl differs from epoch 0") { data in
      data.replaceSubrange(try #require(data.range(of: Data("0.".utf8))), with: Data("1.".utf8))
    }
    try check("summary.json", "summary.json has best epoch 4711") { data in
      let text = String(decoding: data, as: UTF8.self)
      data = Data(text.replacing(/"best_epoch"\s*:\s*\d+/, with: "\"best_epoch\" : 4711").utf8)
    }
    #expect(try Command("checkpoint", "verify", long.path("run")).status == 0)

    try early.write(to: URL(fileURLWithPath: best))
    let again = try Command(arguments: ["train"] + long.settings("run"))
    #expect(again.status == 74, "\(again.output) \(again.errors)")
    #expect(again.errors.contains("best model is not the recorded one"), "\(again.errors)")
    #expect(!again.output.contains("best epoch"), "\(again.output)")
    try last.write(to: URL(fileURLWithPath: best))

    for name in try files.contentsOfDirectory(atPath: long.path("run"))
    where name.hasPrefix("run.sqlite") {
      try files.removeItem(atPath: "\(long.path("run"))/\(name)")
    }
    let gone = try Command("checkpoint", "verify", long.path("run"))
    #expect(gone.status == 65, "\(gone.output) \(gone.errors)")
    #expect(gone.output.contains("run.sqlite' are missing"), "\(gone.output)")
  }

  @Test("models that are deleted during a run are reported at its end")
  func modelsDeleted() throws {
    let long = try LongRun()
    #expect(try long.complete("run", ["--single-process"]) == long.undisturbed())
    try files.removeItem(atPath: "\(long.path("run"))/models")
    let again = try Command(arguments: ["train"] + long.settings("run"))
    #expect(again.status == 74, "\(again.errors)")
    #expect(again.errors.contains("is not there"), "\(again.errors)")
  }
}
