import Coordinator
import Foundation
import GRDB
import Protocol
import Testing

@Suite struct RunStoreTests {
  private static let identity = RunIdentity(
    id: "run-1", created: "2026-01-02T03:04:05Z", configuration: "model: vbpr\n",
    digests: ["data": "abc", "configuration": "def"])

  private static let forming = RunProgress(
    status: .forming, generation: 1, epochsFinished: 0, version: 0, best: nil, isBestSaved: false,
    nonImprovingCount: 0)

  private func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("run-store-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  /// All records of a whole small run, as the state machine makes them.
  private func records() throws -> [RunRecord] {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 2))
    var all: [RunRecord] = []
    var actions = cluster.form()
    all += actions.records
    for recall in [0.3, 0.2] {
      cluster.finishTasks(actions) { _ in ["loss.total": 0.1, "loss.bpr": 0.1] }
      all += cluster.actions.records
      cluster.finishTasks(cluster.actions) { _ in [:] }
      cluster.finishTasks(cluster.actions) { _ in ["valid.recall@20": recall, "valid.users": 1] }
      all += cluster.actions.records
      if cluster.actions.contains(where: \.isSaveBest) {
        all += cluster.handle(.bestSaved).records
      }
      actions = cluster.actions
      all += cluster.checkpoint(8).records
    }
    return all
  }

  @Test(
    "a copy holds the run, and the coordinator that continues it comes after all that nodes know")
  func copies() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    try store.begin(Self.identity, progress: Self.forming)
    for record in try records() { try store.record(record) }
    _ = try store.recordKernels("SkylakeX")
    let copied = try store.copy(to: "\(folder)/copy.sqlite")
    #expect(try copied == store.load())
    let copy = try RunStore(path: "\(folder)/copy.sqlite")
    #expect(try copy.load() == copied)
    #expect(try copy.recordKernels("Haswell") == ["SkylakeX"])
    #expect(throws: CoordinationError.self, "a file is there") {
      try store.copy(to: "\(folder)/copy.sqlite")
    }
    try copy.succeed(term: 9, generation: 7)
    #expect(try copy.load()?.progress.term == 9 && copy.load()?.progress.generation == 7)
    // Never backwards.
    try copy.succeed(term: 2, generation: 2)
    #expect(try copy.raiseTerm() == 10)
    #expect(try copy.load()?.progress.generation == 7)
  }

  @Test("a record outlives a loss of power: the journal is synchronised every time")
  func synchronises() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let queue = try StoreSchema(content: "records", applicationID: 0x7465_7374, migrations: [])
      .open("\(folder)/records.sqlite", label: "test")
    let modes = try queue.read { database in
      (
        try Int.fetchOne(database, sql: "PRAGMA synchronous"),
        try String.fetchOne(database, sql: "PRAGMA journal_mode")
      )
    }
    // FULL; in a write-ahead log NORMAL synchronises at checkpoints only.
    #expect(modes.0 == 2 && modes.1 == "wal")
  }

  @Test("the kernels that compute in a run are recorded once each, up to a number")
  func kernels() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/run.sqlite"
    do {
      let store = try RunStore(path: path)
      #expect(try store.recordKernels("SkylakeX") == [])
      #expect(try store.recordKernels("SkylakeX") == [])
      #expect(try store.recordKernels("Haswell") == ["SkylakeX"])
      try store.close()
    }
    let store = try RunStore(path: path)
    #expect(try store.recordKernels("Haswell") == ["SkylakeX"])
    for number in 0..<100 { _ = try store.recordKernels("\(number)") }
    #expect(try store.recordKernels("Zen").count == 16)
  }

  @Test("a path that SQLite would take for a URI, or for options, is a path")
  func paths() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["a?mode=ro", "b#c", "d%41", ":memory:"] {
      try RunStore(path: "\(folder)/\(name)").close()
      #expect(FileManager.default.fileExists(atPath: "\(folder)/\(name)"), "\(name)")
    }
    let name = "file:\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: name) }
    try RunStore(path: name).close()
    #expect(FileManager.default.fileExists(atPath: name))
  }

  @Test("a pipe in place of the record or its journal is named, and does not block")
  func pipe() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/run.sqlite"
    for suffix in ["-wal", ""] {
      #expect(mkfifo(path + suffix, 0o600) == 0)
      let error = #expect(throws: CoordinationError.self) { try RunStore(path: path) }
      #expect(error?.code == .storeUnusable)
      #expect(error?.message.contains("'\(path)\(suffix)': it is a named pipe") == true)
      unlink(path + suffix)
    }
  }

  @Test("what was recorded comes back, also after a crash without close, at every transition")
  func survivesCrashes() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let live = "\(folder)/run.sqlite"
    let store = try RunStore(path: live)
    try store.begin(Self.identity, progress: Self.forming)
    var epochs: [EpochSummary] = []
    var checkpoints: [CommittedCheckpoint] = []
    var evaluations: [EvaluationSummary] = []
    for (index, record) in try records().enumerated() {
      try store.record(record)
      if case .epochFinished(let summary) = record.change { epochs.append(summary) }
      if case .evaluated(let summary) = record.change { evaluations.append(summary) }
      if case .checkpointCommitted(let checkpoint) = record.change {
        checkpoints.append(checkpoint)
      }
      // The files as a crash would leave them: the store is still open.
      let crashed = "\(folder)/crashed-\(index).sqlite"
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: live + suffix, toPath: crashed + suffix)
      }
      let found = try #require(try RunStore(path: crashed).load())
      #expect(found.identity == Self.identity)
      #expect(found.progress == record.progress)
      #expect(found.epochs == epochs)
      #expect(found.evaluations == evaluations)
      #expect(found.checkpoints == checkpoints)
    }
    #expect(checkpoints.count == 1)
    #expect(epochs.count == 2)
    #expect(evaluations.count == 2)
    let last = try #require(try store.load())
    #expect(last.progress.status == .completed)
    #expect(last.progress.best?.value == 0.3)
    #expect(last.message == "all 2 epochs are trained")
  }

  @Test("recording a transition twice leaves one of it")
  func recordingTwice() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    try store.begin(Self.identity, progress: Self.forming)
    for record in try records() {
      try store.record(record)
      try store.record(record)
    }
    #expect(try store.load()?.epochs.map(\.epoch) == [0, 1])
  }

  @Test("every start has a higher term, and an earlier one records nothing any more")
  func terms() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    #expect(throws: CoordinationError.self) { try store.raiseTerm() }
    try store.begin(Self.identity, progress: Self.forming)
    #expect(try store.raiseTerm() == 2)
    #expect(try store.raiseTerm() == 3)
    #expect(try store.load()?.progress.term == 3)
    var late = Self.forming
    late.term = 2
    #expect {
      try store.record(RunRecord(change: .generationRaised, progress: late))
    } throws: { error in
      (error as? CoordinationError)?.code == .superseded && "\(error)".contains("term 3")
        && "\(error)".contains("of term 2")
    }
    late.term = 3
    try store.record(RunRecord(change: .generationRaised, progress: late))
    #expect(try store.raiseTerm() == 4)
  }

  @Test("a store of the first release is migrated, and its run can be resumed")
  func firstSchema() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/run.sqlite"
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: Self.firstRelease) }
    try queue.close()
    let store = try RunStore(path: path)
    let term = try store.raiseTerm()
    #expect(term == 1)
    let run = try #require(try store.load())
    #expect(run.epochs.map(\.epoch) == [0])
    #expect(run.checkpoints.isEmpty)
    #expect(run.progress.serverCount == 0)
    #expect(run.progress.best == .init(epoch: 0, version: 8, value: 0.25))
    var state = try CoordinatorState(plan: ScriptedCluster.plan(), resuming: ResumePoint(run))
    #expect(state.progress.epochsFinished == 1)
    let actions = state.handle(.message(ScriptedCluster.hello(.server, 100), from: 100), at: 0)
    for record in actions.records { try store.record(record) }
    #expect(try store.load()?.progress.generation == 2)
  }

  private static let firstRelease = """
    CREATE TABLE run (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL,
      created TEXT NOT NULL, configuration TEXT NOT NULL, digests TEXT NOT NULL);
    CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, version INTEGER NOT NULL,
      "values" TEXT NOT NULL, seconds REAL NOT NULL);
    CREATE TABLE evaluations (epoch INTEGER PRIMARY KEY, version INTEGER NOT NULL,
      metrics TEXT NOT NULL, users TEXT NOT NULL, materialize_seconds REAL NOT NULL,
      rank_seconds REAL NOT NULL);
    CREATE TABLE state (only INTEGER PRIMARY KEY CHECK (only = 1), status TEXT NOT NULL,
      message TEXT NOT NULL, generation INTEGER NOT NULL, epochs_finished INTEGER NOT NULL,
      version INTEGER NOT NULL, best_epoch INTEGER, best_version INTEGER, best_value REAL,
      is_best_saved INTEGER NOT NULL, non_improving_count INTEGER NOT NULL);
    INSERT INTO run VALUES (1, 'run-1', '2026-01-02T03:04:05Z', '', '{}');
    INSERT INTO epochs VALUES (0, 8, '{"loss.total":0.5}', 2.5);
    INSERT INTO evaluations VALUES (0, 8, '{"valid.recall@20":0.25}', '{"valid":4}', 0, 0);
    INSERT INTO state VALUES (1, 'failed', 'a server was lost', 1, 1, 8, 0, 8, 0.25, 1, 0);
    PRAGMA application_id = 1836213346;
    PRAGMA user_version = 1;
    """

  @Test("NaN and infinities come back as they were")
  func notANumber() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    try store.begin(Self.identity, progress: Self.forming)
    let summary = EpochSummary(
      epoch: 0, version: 8, values: ["stat.a": .nan, "stat.b": -.infinity, "stat.c": 0.1 + 0.2],
      seconds: 1)
    try store.record(RunRecord(change: .epochFinished(summary), progress: Self.forming))
    let values = try #require(try store.load()?.epochs.first?.values)
    #expect(values["stat.a"]?.isNaN == true)
    #expect(values["stat.b"] == -.infinity)
    #expect(values["stat.c"] == 0.1 + 0.2)
  }

  @Test("a new store holds no run, and nothing can be recorded before one begins")
  func empty() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    #expect(try store.load() == nil)
    #expect {
      try store.record(RunRecord(change: .clusterFormed, progress: Self.forming))
    } throws: { "\($0)".contains("begin the run first") }
  }

  @Test("a store that holds a run takes no second one, and the error names the run")
  func secondRun() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = try RunStore(path: "\(folder)/run.sqlite")
    try store.begin(Self.identity, progress: Self.forming)
    var other = Self.identity
    other.id = "run-2"
    #expect {
      try store.begin(other, progress: Self.forming)
    } throws: { "\($0)".contains("holds run 'run-1'") }
  }

  @Test("a store of a newer program is refused with both schema versions, and left alone")
  func newerSchema() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/run.sqlite"
    try RunStore(path: path).close()
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
    try queue.close()
    #expect {
      try RunStore(path: path)
    } throws: { error in
      (error as? CoordinationError)?.code == .storeTooNew && "\(error)".contains(path)
        && "\(error)".contains("version is 99") && "\(error)".contains("up to 4")
    }
    let version = try DatabaseQueue(path: path).read {
      try Int.fetchOne($0, sql: "PRAGMA user_version")
    }
    #expect(version == 99)
  }

  @Test("a file that is no store of ours is refused with its path and advice")
  func foreignFiles() throws {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let garbage = "\(folder)/garbage.sqlite"
    try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: garbage))
    #expect {
      try RunStore(path: garbage)
    } throws: { "\($0)".contains(garbage) && "\($0)".contains("damaged") }

    let foreign = "\(folder)/foreign.sqlite"
    let queue = try DatabaseQueue(path: foreign)
    try queue.write { try $0.execute(sql: "CREATE TABLE songs (title TEXT)") }
    try queue.close()
    #expect {
      try RunStore(path: foreign)
    } throws: { "\($0)".contains("another program") }

    #expect {
      try RunStore(path: "\(folder)/missing/run.sqlite")
    } throws: { "\($0)".contains("exists and is writable") }
  }

  @Test("a file that is no database: the message names what it is")
  func otherKinds() throws {
    let path = try temporaryFolder() + "/run.sqlite"
    try Data("{\"epoch\": 1, \"note\": \"\(String(repeating: "x", count: 600))\"}".utf8)
      .write(to: URL(fileURLWithPath: path))
    #expect(performing: { try RunStore(path: path) }, throws: { "\($0)".contains("JSON text") })
  }

  @Test("a path that is too long for SQLite is refused with its length, and nothing is made")
  func longPath() throws {
    let root = try temporaryFolder()
    func path(_ byteCount: Int) -> String {
      var folder = root
      while folder.utf8.count + 202 < byteCount - 12 {
        folder += "/" + String(repeating: "x", count: 200)
      }
      return folder + "/" + String(repeating: "y", count: byteCount - folder.utf8.count - 1)
    }
    #expect {
      try RunStore(path: path(505))
    } throws: { "\($0)".contains("505 bytes") && "\($0)".contains("504") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: root).isEmpty)
    let longest = path(504)
    try FileManager.default.createDirectory(
      atPath: (longest as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    let store = try RunStore(path: longest)
    try store.begin(Self.identity, progress: Self.forming)
    try store.close()
  }

  @Test("a damaged column is an error that names it, not a crash")
  func damagedColumns() throws {
    let damages = [
      "UPDATE state SET status = 'flying'": "status",
      "UPDATE state SET version = -1": "version",
      "UPDATE state SET generation = 'x'": "generation",
      "UPDATE run SET digests = '{\"a\": 1'": "digests",
      "UPDATE epochs SET epoch = 99999999999": "epoch",
    ]
    for (damage, column) in damages {
      let folder = try temporaryFolder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let path = "\(folder)/run.sqlite"
      let store = try RunStore(path: path)
      try store.begin(Self.identity, progress: Self.forming)
      let summary = EpochSummary(epoch: 0, version: 8, values: [:], seconds: 1)
      try store.record(RunRecord(change: .epochFinished(summary), progress: Self.forming))
      try store.close()
      let queue = try DatabaseQueue(path: path)
      try queue.write { try $0.execute(sql: damage) }
      try queue.close()
      let damaged = try RunStore(path: path)
      #expect(performing: { try damaged.load() }, throws: { "\($0)".contains("'\(column)'") })
    }
  }
}
