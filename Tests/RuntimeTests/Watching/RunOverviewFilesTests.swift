import Foundation
import Runtime
import TestSupport
import Testing

@Suite("An overview from a run's files")
struct RunOverviewFilesTests {
  private struct NoSignals: StopSignals {
    func next() -> Int32? { nil }
  }

  /// A line of metrics.jsonl.
  private struct Line: Decodable {
    var loss: [String: Double]
    var stat: [String: Double]
    var valid: [String: Double]
  }

  /// Trains some epochs in one process.
  private func train(
    _ tiny: TinyModel, in run: String, pausingAfter pause: Int? = nil
  ) throws -> RunOverview {
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    let observer = RunObserver()
    let role = try SingleProcessRole(
      setup: tiny.setup, directory: RunDirectory(existing: run), runID: "run",
      pausingAfter: pause, detail: .quiet, observer: observer)
    let outcome = try role.run(signals: NoSignals())
    #expect(pause != nil || outcome.exitCode == .success, "\(outcome.message)")
    return try #require(observer.overview())
  }

  @Test("it has what the live one had, and what metrics.jsonl has, to the last digit")
  func sameAsLive() throws {
    let tiny = try TinyModel(["epochs=3", "alpha2=0.05"])
    let live = try train(tiny, in: tiny.run)
    let files = try RunOverview.read(RunDirectory(existing: tiny.run)).overview
    #expect(files.state == .completed && live.state == .completed)
    #expect(files.message == live.message && !files.message.isEmpty)
    #expect(files.run == live.run && files.run.objective == "mrdib")
    #expect(files.selection == live.selection && files.selection.bestEpoch != nil)
    #expect(files.modalities == live.modalities && !files.modalities.isEmpty)
    #expect(files.pairs == live.pairs && !files.pairs.isEmpty)
    #expect(files.events == live.events && files.events.last?.kind == "end")
    #expect(live.nodes.map(\.role) == ["server", "worker"])
    #expect(live.nodes.allSatisfy { $0.state == "left" })
    for (left, right) in zip(files.epochs, live.epochs) {
      #expect(left.loss == right.loss && left.stat == right.stat)
      #expect(left.valid == right.valid && left.test == right.test)
      #expect(left.trainSeconds == right.trainSeconds)
    }
    let lines = try String(contentsOfFile: "\(tiny.run)/metrics.jsonl", encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3 && files.epochs.count == 3)
    for (line, epoch) in zip(lines, files.epochs) {
      let object = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
      #expect(object.valid == epoch.valid.compactMapValues { $0 })
      #expect(object.loss == epoch.loss.compactMapValues { $0 })
      #expect(object.stat == epoch.stat.compactMapValues { $0 })
    }
    let text = files.lines().joined(separator: "\n")
    #expect(text.contains("; done: all 3 epochs are trained"), "\(text)")
    #expect(text.contains("3 of at most 3 epochs done"), "\(text)")
    #expect(files.lines(atMost: 40).allSatisfy { $0.count <= 40 })
  }

  @Test("a run that was stopped; one that is dead; one that a process owns")
  func states() throws {
    let tiny = try TinyModel(["epochs=4"])
    _ = try train(tiny, in: tiny.run, pausingAfter: 2)
    let directory = RunDirectory(existing: tiny.run)
    var overview = try RunOverview.read(directory).overview
    #expect(overview.state == .interrupted && overview.epochs.count == 2)
    #expect(overview.timeLeft == nil)

    // As a kill -9 would leave it: begun, not ended, and owned by no process.
    let other = "\(tiny.folder.path)/other"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    let begun = try RunRecorder.open(
      directory: RunDirectory(existing: other), setup: tiny.setup, runID: "other", detail: .quiet)
    overview = try RunOverview.read(RunDirectory(existing: other)).overview
    #expect(overview.state == .dead && overview.epochs.isEmpty)
    let lock = try RunLock(runDirectory: other)
    #expect(try RunOverview.read(RunDirectory(existing: other)).overview.state == .running)
    lock.release()
    #expect(try RunOverview.read(RunDirectory(existing: other)).overview.state == .dead)

    // A run of a sweep has no lock of its own.
    let sweep = "\(tiny.folder.path)/sweep"
    try FileManager.default.createDirectory(
      atPath: "\(sweep)/runs", withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: other, toPath: "\(sweep)/runs/one")
    try Data().write(to: URL(fileURLWithPath: "\(sweep)/sweep.sqlite"))
    let run = RunDirectory(existing: "\(sweep)/runs/one")
    #expect(try RunOverview.read(run).overview.state == .dead)
    let sweepLock = try RunLock(sweepFolder: sweep)
    #expect(try RunOverview.read(run).overview.state == .running)
    // A run of it that is over has its own state.
    #expect(RunState(inFolder: run.path, ended: .completed) == .completed)
    sweepLock.release()
    #expect(RunState(inFolder: run.path, ended: nil) == .dead)

    // The id in the lock's file is that of this process by chance, as in containers.
    try Data("\(ProcessInfo.processInfo.processIdentifier)\n".utf8).write(
      to: URL(fileURLWithPath: "\(run.path)/lock"))
    #expect(try RunOverview.read(run).overview.state == .dead)
    withExtendedLifetime(begun) {}
  }

  @Test("a resumed run keeps its events, and lines that were cut off are left out")
  func resumed() throws {
    let tiny = try TinyModel(["epochs=4"])
    _ = try train(tiny, in: tiny.run, pausingAfter: 2)
    let file = try #require(FileHandle(forWritingAtPath: "\(tiny.run)/events.jsonl"))
    try file.seekToEnd()
    try file.write(contentsOf: Data("\n{\"kind\":\"lost\",\"text\":7}\n[]\n{\"at\":1".utf8))
    try file.close()
    let live = try train(tiny, in: tiny.run)
    let kinds = live.events.map(\.kind)
    #expect(kinds.filter { $0 == "end" }.count == 2 && kinds.contains("resumed"), "\(kinds)")
    #expect(!kinds.contains("lost") && live.epochs.map(\.epoch) == [0, 1, 2, 3])
    #expect(live.epochs.map(\.at) == live.epochs.map(\.at).sorted())
    #expect(try RunOverview.read(RunDirectory(existing: tiny.run)).overview.events == live.events)
  }

  @Test("runs side by side: keys, what differs, a damaged one, and no way out of the folder")
  func folder() throws {
    let tiny = try TinyModel(["epochs=1"])
    let other = try TinyModel(["epochs=2", "learning_rate=0.01"])
    let runs = "\(tiny.folder.path)/sweep"
    _ = try train(tiny, in: "\(runs)/a")
    _ = try train(other, in: "\(runs)/deep/b")
    try FileManager.default.createDirectory(
      atPath: "\(runs)/broken", withIntermediateDirectories: true)
    try Data("no database".utf8).write(to: URL(fileURLWithPath: "\(runs)/broken/run.sqlite"))

    let watched = WatchedFolder(path: runs)
    let listing = watched.listing()
    #expect(listing.runs.map(\.key) == ["a", "deep/b"] && !listing.isLive)
    #expect(listing.runs.map { $0.settings["learning_rate"] } == ["0.001", "0.01"])
    #expect(listing.runs.allSatisfy { $0.settings["embedding_size"] == nil })
    #expect(listing.runs.map(\.curve.count) == [1, 2])
    #expect(listing.problems.map(\.key) == ["broken"])
    #expect(watched.overview(of: "deep/b")?.epochs.count == 2)
    #expect(watched.overview(of: "deep/b", since: 1)?.epochs.count == 1)
    for key in ["", "..", "deep", "../sweep/a", "a/", "/", "broken"] {
      #expect(watched.overview(of: key) == nil, "\(key)")
    }
    // A run's own folder is listed as the only run.
    #expect(WatchedFolder(path: "\(runs)/a").listing().runs.map(\.key) == [""])
  }

  /// Names, sizes and times of the files of a folder.
  private func marks(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
      let found = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
      let date = (found[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(name) \(found[.size] as? Int ?? -1) \(date)"
    }
  }

  @Test("reading changes nothing in the folder, and sees what is in the write-ahead log alone")
  func unchanged() throws {
    // TensorBoard's file is written on a queue of its own, whenever the machine gets to it.
    let tiny = try TinyModel(["epochs=1", "tensorboard=false"])
    _ = try train(tiny, in: tiny.run)
    let before = try marks(tiny.run)
    #expect(try RunOverview.read(RunDirectory(existing: tiny.run)).overview.state == .completed)
    #expect(try marks(tiny.run) == before)

    let other = "\(tiny.folder.path)/other"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    let begun = try RunRecorder.open(
      directory: RunDirectory(existing: other), setup: tiny.setup, runID: "other", detail: .quiet)
    let during = try marks(other)
    #expect(during.contains { $0.hasPrefix("run.sqlite-wal ") })
    #expect(try RunOverview.read(RunDirectory(existing: other)).overview.run.id == "other")
    #expect(try marks(other) == during)
    withExtendedLifetime(begun) {}
  }

  @Test("a folder without a run is refused with a sentence")
  func nothing() throws {
    let folder = try TemporaryFolder()
    #expect {
      try RunOverview.read(RunDirectory(existing: folder.path))
    } throws: { error in
      (error as? RuntimeError)?.exitCode == .inputMissing && "\(error)".contains("holds no run")
    }
  }
}
