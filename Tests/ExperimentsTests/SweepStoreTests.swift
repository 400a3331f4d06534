import Coordinator
import Experiments
import Foundation
import GRDB
import TestSupport
import Testing

@Suite struct SweepStoreTests {
  private static let run = MadeUp.run(alpha: "0.05", seed: 1, valid: 0.1 + 0.2, test: 1.0 / 3)

  @Test("records are read back in the order in which they were first written")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let store = try SweepStore(path: "\(folder.path)/sweep.sqlite")
    var waiting = MadeUp.run(alpha: "0.1", seed: 2, valid: 0, test: 0)
    waiting.state = .running
    waiting.result = nil
    try store.record(waiting)
    try store.record(Self.run)
    var failed = waiting
    failed.state = .failed
    failed.message = "loss is \"nan\", line\n2"
    failed.result = RunResult(
      model: "vbpr", dataset: "d", bestEpoch: nil, epochsRun: 0, parameterCount: 1,
      valid: ["recall@5": .nan], test: [:], seconds: [:])
    try store.record(failed)
    try store.close()
    let found = try SweepStore(path: "\(folder.path)/sweep.sqlite").runs()
    #expect(found.count == 2)
    #expect(found[0].message == failed.message)
    #expect(found[0].result?.valid["recall@5"]?.isNaN == true)
    #expect(found[1] == Self.run)
  }

  @Test("planning adds missing records and leaves existing ones")
  func plan() throws {
    let folder = try TemporaryFolder()
    let store = try SweepStore(path: "\(folder.path)/sweep.sqlite")
    try store.record(Self.run)
    var known = Self.run
    known.state = .waiting
    known.result = nil
    var new = MadeUp.run(alpha: "0.05", seed: 2, valid: 0, test: 0)
    new.state = .waiting
    new.result = nil
    try store.plan([new, known])
    #expect(try store.runs() == [Self.run, new])
  }

  @Test("a store of a newer program is refused with both schema versions")
  func newerSchema() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/sweep.sqlite"
    try SweepStore(path: path).close()
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: "PRAGMA user_version = 9") }
    try queue.close()
    #expect {
      try SweepStore(path: path)
    } throws: { error in
      (error as? CoordinationError)?.code == .storeTooNew && "\(error)".contains(path)
        && "\(error)".contains("version is 9") && "\(error)".contains("up to 1")
    }
  }

  @Test("the store of a single run is not taken for that of a sweep")
  func otherStore() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/sweep.sqlite"
    try RunStore(path: path).close()
    #expect { try SweepStore(path: path) } throws: { "\($0)".contains("another program") }
  }

  @Test("an invalid value is an error that names its column")
  func damage() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/sweep.sqlite"
    let store = try SweepStore(path: path)
    try store.record(Self.run)
    for (column, value) in [("state", "'eaten'"), ("valid", "'{'"), ("seed", "'one'")] {
      let queue = try DatabaseQueue(path: path)
      try queue.write { try $0.execute(sql: "UPDATE runs SET \(column) = \(value)") }
      #expect { try store.runs() } throws: { "\($0)".contains("column '\(column)'") }
      try store.record(Self.run)
    }
  }
}
