import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct RunListingTests {
  /// A folder with the files of a run, as far as they matter for lists.
  private func makeRun(
    _ folder: TemporaryFolder, _ name: String, outcome: String? = nil,
    labels: [String: String] = [:],
    started: TimeInterval = 0
  ) throws {
    let directory = try RunDirectory.create(at: folder.path(name))
    var environment = RunEnvironment.capture(
      version: "1", gitCommit: nil, openBLAS: .init(core: "C", chosen: "C", configuration: ""),
      started: Date(timeIntervalSince1970: started), commandLine: ["mrdib", "train", name])
    environment.title = RunTitle(name: "run \(name)", labels: labels)
    environment.owner = "user-\(name)"
    try directory.writeEnvironment(environment)
    try folder.write("model: mgcn\ndata: /data/toys\n", to: "\(name)/config.resolved.yaml")
    try folder.write(
      """
      {"epoch":0,"loss":{"total":1},"valid":{"recall@20":0.25,"ndcg@20":0.9}}
      {"epoch":1,"loss":{"total":1},"valid":{"recall@20":null}}
      {"epoch":2,"loss":{"total":1},"valid":{"recall@20":0.5}}
      {"epoch":3,"loss":{"total":1},"valid":{"recall@20":0.5}}
      {"epoch":4,"loss
      """, to: "\(name)/metrics.jsonl")
    if let outcome {
      try folder.write(
        #"{"outcome":"\#(outcome)","message":"why it ended","model":"mgcn"}"#,
        to: "\(name)/summary.json")
    }
  }

  @Test("the state of a run, from its lock and its summary; epochs and metric from metrics.jsonl")
  func states() throws {
    let folder = try TemporaryFolder()
    for (index, outcome) in ["completed", "early_stopped", "interrupted", "failed"].enumerated() {
      try makeRun(folder, outcome, outcome: outcome, started: Double(index))
    }
    try makeRun(folder, "deep/er/killed", started: 5)
    try makeRun(folder, "training", outcome: "interrupted", started: 6)
    let lock = try RunLock(runDirectory: folder.path("training"))
    defer { lock.release() }
    try FileManager.default.createDirectory(
      atPath: folder.path("no-run"), withIntermediateDirectories: true)
    // In a circle.
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: folder.path)

    let runs = try RunListing(folder: folder.path).runs
    #expect(
      runs.map { $0.folder.replacingOccurrences(of: "\(folder.path)/", with: "") } == [
        "training", "deep/er/killed", "failed", "interrupted", "early_stopped", "completed",
      ])
    #expect(
      runs.map(\.state) == [.running, .dead, .failed, .interrupted, .earlyStopped, .completed])
    let training = try #require(runs.first)
    #expect(training.process == ProcessInfo.processInfo.processIdentifier)
    #expect(training.message == nil)
    let failed = runs[2]
    #expect(failed.message == "why it ended")
    #expect(failed.model == "mgcn" && failed.data == "/data/toys")
    #expect(failed.epoch == 3)
    #expect(failed.best?.name == "recall@20")
    #expect(failed.best?.value == 0.5 && failed.best?.epoch == 2)
    #expect(failed.owner == "user-failed" && failed.name == "run failed")
    #expect(failed.problem == nil)
  }

  @Test("a summary that is older than the last start is not the end of the run")
  func killedAfterResuming() throws {
    let folder = try TemporaryFolder()
    try makeRun(folder, "run", outcome: "interrupted", started: 0)
    #expect(try RunListing.run(in: folder.path("run")).state == .interrupted)
    try RunDirectory(existing: folder.path("run")).writeEnvironment(
      .capture(
        version: "1", gitCommit: nil, openBLAS: .init(core: "C", chosen: "C", configuration: ""),
        started: Date().addingTimeInterval(3600), commandLine: ["mrdib", "again"]))
    let run = try RunListing.run(in: folder.path("run"))
    #expect(run.state == .dead)
    #expect(run.commandLine == ["mrdib", "again"])
    // The name stays, since the later start gave none.
    #expect(run.name == "run run")
  }

  @Test("labels and states select runs; damaged files are reported and hide no run")
  func selection() throws {
    let folder = try TemporaryFolder()
    try makeRun(folder, "a", outcome: "completed", labels: ["team": "x", "kind": "y"])
    try makeRun(folder, "b", outcome: "completed", labels: ["team": "x"])
    try makeRun(folder, "c", labels: ["team": "z"])
    func names(
      _ labels: [String: String] = [:], _ states: [RunState] = RunState.ofFiles
    ) throws -> Set<String> {
      Set(
        try RunListing(folder: folder.path, labels: labels, states: states).runs.compactMap {
          $0.folder.split(separator: "/").last.map(String.init)
        })
    }
    #expect(try names(["team": "x"]) == ["a", "b"])
    #expect(try names(["team": "x", "kind": "y"]) == ["a"])
    #expect(try names([:], [.dead]) == ["c"])
    try folder.write("model: [", to: "c/config.resolved.yaml")
    try folder.write("{", to: "c/environment.json")
    try folder.write([0xff, 0x0a, 0x7b], to: "c/metrics.jsonl")
    let damaged = try RunListing.run(in: folder.path("c"))
    #expect(damaged.problem?.contains("config.resolved.yaml") == true)
    #expect(damaged.model == nil && damaged.epoch == nil && damaged.state == .dead)
    #expect(try names() == ["a", "b", "c"])
    #expect(throws: RuntimeError.self) { try RunListing(folder: folder.path("missing")) }
    #expect(throws: RuntimeError.self) { try RunListing.run(in: folder.path) }
  }

  @Test("labels are KEY=VALUE; later starts add to them")
  func titles() throws {
    let title = try RunTitle(name: "n", labels: ["a=1", "b/c.d=x=y", "a=2"])
    #expect(title.labels == ["a": "2", "b/c.d": "x=y"])
    for label in ["a", "=x", "a b=c", "a=\u{7}", "-a=b"] {
      #expect(throws: RuntimeError.self, "\(label)") { try RunTitle(name: nil, labels: [label]) }
    }
    for name in ["", "a\nb", String(repeating: "x", count: 129)] {
      #expect(throws: RuntimeError.self, "\(name)") { try RunTitle(name: name, labels: []) }
    }
    #expect(throws: RuntimeError.self) {
      try RunTitle(name: nil, labels: (0..<65).map { "k\($0)=v" })
    }
    let folder = try TemporaryFolder()
    let directory = try RunDirectory.create(at: folder.path)
    try directory.recordStart(RunTitle(name: "first", labels: ["a": "1", "b": "1"]))
    try directory.recordStart(RunTitle(labels: ["b": "2"]))
    let run = try RunListing.run(in: folder.path)
    #expect(run.name == "first" && run.labels == ["a": "1", "b": "2"])
    #expect(run.owner?.isEmpty == false)
  }
}
