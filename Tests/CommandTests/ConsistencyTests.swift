import Foundation
import TestSupport
import Testing

/// Rows that may be stale, with real processes.
@Suite(.serialized) struct ConsistencyTests {
  private static let cluster = ["--workers", "2", "--servers", "2"]

  /// The staleness in a run's summary.
  private func staleness(_ folder: TemporaryFolder, _ name: String) throws -> [String: Double] {
    try #require(folder.object("\(name)/summary.json")["staleness"] as? [String: Double])
  }

  /// How many gradients each epoch counts.
  private func gradientCounts(_ folder: TemporaryFolder, _ name: String) throws -> [Double] {
    let text = String(decoding: try folder.bytes("\(name)/metrics.jsonl"), as: UTF8.self)
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let counts = try #require(object?["staleness"] as? [String: Double])
      return counts.filter { Int($0.key) != nil }.values.reduce(0, +)
    }
  }

  @Test("a bound of 0 is bsp, bit by bit")
  func boundZero() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let exact = try folder.train("bsp", data: data, Self.cluster)
    let bounded = try folder.train(
      "ssp", data: data, Self.cluster + ["--set", "consistency=ssp", "--set", "staleness_bound=0"])
    #expect(bounded == exact)
    #expect(try folder.object("ssp/summary.json")["staleness"] == nil)
  }

  @Test(
    "ssp and async train on a cluster, and say how stale rows were", arguments: ["ssp", "async"])
  func trains(mode: String) throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    _ = try folder.train(mode, data: data, Self.cluster + ["--set", "consistency=\(mode)"])
    let staleness = try staleness(folder, mode)
    let (mean, greatest) = try (#require(staleness["mean"]), #require(staleness["max"]))
    #expect(mean >= 0 && mean <= greatest)
    if mode == "ssp" { #expect(greatest <= 2) }
    // Three epochs of three steps, three shards each.
    #expect(try gradientCounts(folder, mode) == [9, 9, 9])
  }

  /// A run that does not end by itself, and the process of one of its roles.
  private func start(
    _ folder: TemporaryFolder, _ options: [String]
  ) throws -> (train: RunningCommand, run: String) {
    let run = "\(folder.path)/run"
    let train = try RunningCommand(
      folder,
      [
        "train", "--data", try folder.generateData(), "--run", run, "--epochs", "100000",
        "--shards", "2", "--set", "stopping_step=100000", "--set", "train_batch_size=64",
      ] + Self.cluster + options)
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(run)/best.json")
    }
    return (train, run)
  }

  private func epochCount(_ folder: TemporaryFolder) throws -> Int {
    try folder.bytes("run/metrics.jsonl").count { $0 == UInt8(ascii: "\n") }
  }

  @Test("a slow worker makes rows stale for the other, up to the bound and no further")
  func slowWorker() throws {
    let folder = try TemporaryFolder()
    let (train, _) = try start(
      folder, ["--set", "consistency=ssp", "--set", "staleness_bound=3"])
    let worker = try #require(train.children.first { $0.value.contains("worker-1") }?.key)
    try Wait.until("the bound is met") {
      kill(worker, SIGSTOP)
      Thread.sleep(forTimeInterval: 0.15)
      kill(worker, SIGCONT)
      Thread.sleep(forTimeInterval: 0.05)
      return String(decoding: try folder.bytes("run/metrics.jsonl"), as: UTF8.self)
        .firstMatch(of: /"staleness":\{[^}]*"3":[1-9]/) != nil
    }
    train.terminate()
    #expect(try train.wait() == 143)
    // The first epochs are before the first stop.
    #expect(try staleness(folder, "run")["max"] == 3)
  }

  @Test(
    "a worker that is killed in ssp, and a server in async: every epoch counts each gradient once")
  func killed() throws {
    for (mode, victim) in [("ssp", "worker-1"), ("async", "server-1")] {
      let folder = try TemporaryFolder()
      let (train, _) = try start(folder, ["--set", "consistency=\(mode)"])
      let process = try #require(train.children.first { $0.value.contains(victim) }?.key)
      kill(process, SIGKILL)
      let before = try epochCount(folder)
      try Wait.until("epochs after the death of \(victim)") {
        try epochCount(folder) > before + 3
      }
      #expect(train.errors.contains("\(victim) was killed by signal 9"))
      train.terminate()
      #expect(try train.wait() == 143)
      let counts = try gradientCounts(folder, "run")
      #expect(Set(counts).count == 1, "\(mode): \(counts)")
    }
  }

  @Test("a run resumes in its own mode only")
  func otherMode() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    _ = try folder.train("run", data: data, ["--single-process", "--set", "consistency=ssp"])
    let other = try Command(
      "train", "--data", data, "--run", "\(folder.path)/run", "--single-process", "--epochs", "9",
      "--shards", "3", "--quiet", "--set", "train_batch_size=512")
    #expect(other.status == 78)
    #expect(other.errors.contains("consistency"), "\(other.errors)")
  }
}
