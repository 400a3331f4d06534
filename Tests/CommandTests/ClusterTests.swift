import Foundation
import TestSupport
import Testing

/// Real processes over real sockets.
@Suite(.serialized) struct ClusterTests {
  private func train(
    _ folder: TemporaryFolder, _ name: String, data: String, _ options: [String]
  ) throws -> [Data] {
    try folder.train(name, data: data, options)
  }

  @Test("the numbers of workers and servers change no bit, nor does running in one process")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let alone = try train(folder, "alone", data: data, ["--single-process"])
    for (workers, servers) in [(1, 1), (3, 1), (1, 3), (2, 2)] {
      let cluster = try train(
        folder, "cluster-\(workers)-\(servers)", data: data,
        ["--workers", "\(workers)", "--servers", "\(servers)"])
      #expect(cluster == alone, "\(workers) workers, \(servers) servers")
    }
  }

  @Test("another seed gives other bits")
  func seedMatters() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let first = try train(folder, "first", data: data, ["--single-process"])
    let second = try train(folder, "second", data: data, ["--single-process", "--seed", "5"])
    #expect(first != second)
  }

  @Test("one shard: a cluster equals the single process, also with rounds for the discriminator")
  func oneShardAndRounds() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options = ["--shards", "1", "--set", "mi_rounds=3"]
    let alone = try train(folder, "alone", data: data, ["--single-process"] + options)
    let cluster = try train(folder, "cluster", data: data, ["--servers", "2"] + options)
    #expect(cluster == alone)
  }

  @Test("dense Adam and its lazy, exact form end in the same bits")
  func lazyExactIsDense() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let decay = ["--single-process", "--set", "lr_decay=0.5", "--set", "lr_decay_period=1"]
    let lazy = try train(folder, "lazy", data: data, decay)
    let dense = try train(folder, "dense", data: data, decay + ["--set", "adam_mode=dense"])
    #expect(lazy == dense)
  }

  @Test("row-wise Adagrad and metrics of the whole catalogue: the same digits in every layout")
  func rowwiseAdagradAndExposure() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options = [
      "--set", "optimizer=rowwise_adagrad", "--set", "learning_rate=0.05", "--set",
      "metrics=[recall, coverage, gini, entropy, popularity, novelty, tail]", "--set",
      "metric_groups=true", "--set", "evaluation_block_users=50",
    ]
    func groups(_ name: String) throws -> NSDictionary {
      try #require(try folder.object("\(name)/summary.json")["groups"] as? NSDictionary)
    }
    func metrics(_ name: String) throws -> [[String: Double]] {
      let summary = try folder.object("\(name)/summary.json")
      return try ["valid", "test"].map { try #require(summary[$0] as? [String: Double]) }
    }
    let alone = try train(folder, "alone", data: data, ["--single-process"] + options)
    let expected = try metrics("alone")
    for values in expected {
      #expect(Set(values.keys.map { $0.prefix { $0 != "@" } }).count == 7)
      #expect(values["ndcg@20"] == nil)
      let coverage = try #require(values["coverage@20"])
      let gini = try #require(values["gini@20"])
      #expect(coverage > 0 && coverage <= 1 && gini > 0 && gini < 1)
      #expect(try #require(values["popularity@20"]) > 0)
    }
    for (workers, servers) in [(1, 1), (2, 3), (3, 2)] {
      let name = "cluster-\(workers)-\(servers)"
      let cluster = try train(
        folder, name, data: data,
        ["--workers", "\(workers)", "--servers", "\(servers)"] + options)
      #expect(cluster == alone, "\(name)")
      #expect(try metrics(name) == expected, "\(name)")
      #expect(try groups(name) == groups("alone"), "\(name)")
    }
    let test = try #require(groups("alone")["test"] as? [[String: Any]])
    #expect(test.contains { $0["kind"] as? String == "users" })
    #expect(test.contains { $0["kind"] as? String == "items" })
    // Printed at the end of a run, also of a finished one.
    let again = try Command(
      arguments: ["train", "--data", data, "--run", folder.path("alone")]
        + ["--single-process", "--epochs", "3", "--shards", "3", "--set", "train_batch_size=512"]
        + options)
    #expect(again.status == 0, "\(again.errors)")
    let rows = again.output.split(separator: "\n")
    #expect(rows.contains("test, by training interactions:"), "\(again.output)\(again.errors)")
    #expect(rows.contains("group\tusers\trecall@20"))
    let table = try Command(
      "compare", "\(folder.path)/alone", "--metric", "coverage@20", "--metric", "popularity@20")
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("coverage@20") && table.output.contains("popularity@20"))
  }

  @Test("some users evaluated, closed-form Adam, bfloat16: the same digits in every layout")
  func sampledUsers() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options = [
      "--set", "eval_users=40", "--set", "evaluation_block_users=16", "--set", "adam_mode=closed",
      "--set", "moment_precision=bfloat16",
    ]
    func errors(_ name: String) throws -> [String: [String: Double]] {
      try #require(
        try folder.object("\(name)/summary.json")["standard_error"] as? [String: [String: Double]])
    }
    let alone = try train(folder, "alone", data: data, ["--single-process"] + options)
    let expected = try errors("alone")
    let error = try #require(expected["test"]?["recall@20"])
    #expect(error > 0 && error < 0.2 && expected["valid"]?.count == expected["test"]?.count)
    for (workers, servers) in [(1, 2), (3, 1)] {
      let name = "cluster-\(workers)-\(servers)"
      let cluster = try train(
        folder, name, data: data,
        ["--workers", "\(workers)", "--servers", "\(servers)"] + options)
      let found = try errors(name)
      #expect(cluster == alone && found == expected, "\(name)")
    }
    // Of all users, whose means the sample only estimates.
    let table = try Command("compare", "\(folder.path)/alone", "--metric", "recall@20")
    #expect(table.status == 0 && table.output.contains("recall@20"), "\(table.errors)")
  }

  @Test("short epochs, with checkpoints in the middle of them: the same bits in every layout")
  func shortEpochs() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options = ["--set", "epoch_steps=2", "--set", "checkpoint_steps=1"]
    let plan = try Command(
      arguments: [
        "train", "--data", data, "--dry-run", "--json", "--set", "epoch_steps=2", "--set",
        "train_batch_size=512",
      ])
    #expect(plan.output.contains("\"steps_per_epoch\" : 2"), "\(plan.output)")
    let alone = try train(folder, "alone", data: data, ["--single-process"] + options)
    let cluster = try train(folder, "cluster", data: data, ["--servers", "2"] + options)
    #expect(cluster == alone)
    let whole = try train(folder, "whole", data: data, ["--single-process"])
    #expect(whole != alone)
    let most = try train(
      folder, "most", data: data, ["--single-process", "--set", "epoch_steps=1000000"])
    #expect(most == whole)
  }

  @Test("roles started by hand, in any order, find each other through the coordinator")
  func rolesByHand() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let address = "ipc://\(folder.path)/c.sock"
    var processes: [RunningCommand] = []
    func start(_ arguments: [String]) throws {
      processes.append(try RunningCommand(folder, arguments))
    }
    try start(["worker", "--coordinator", address, "--data", data])
    try start(["server", "--coordinator", address])
    Thread.sleep(forTimeInterval: 0.3)
    try start([
      "coordinator", "--listen", address, "--data", data, "--run", "\(folder.path)/hand",
      "--workers", "2", "--servers", "1", "--shards", "3", "--epochs", "3", "--set",
      "train_batch_size=512",
    ])
    Thread.sleep(forTimeInterval: 0.3)
    try start(["worker", "--coordinator", address])
    for process in processes { #expect(try process.wait() == 0, "\(process.errors)") }
    #expect(processes[2].output.contains("best epoch"), "\(processes[2].output)")
    let best = try folder.object("hand/best.json")
    let model = try #require(best["folder"] as? String)
    let alone = try train(folder, "alone", data: data, ["--single-process"])
    #expect(try folder.bytes("hand/\(model)/parameters.safetensors") == alone[2])
  }

  @Test("the run directory has all documented files")
  func runDirectory() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    _ = try train(folder, "run", data: data, [])
    let summary = try folder.object("run/summary.json")
    #expect(summary["best_epoch"] is Int)
    for split in ["valid", "test"] {
      let metrics = try #require(summary[split] as? [String: Double])
      for metric in ["recall", "precision", "ndcg", "map"] {
        for cutoff in [5, 10, 20, 50] { #expect(metrics["\(metric)@\(cutoff)"] != nil) }
      }
    }
    let lines = String(decoding: try folder.bytes("run/metrics.jsonl"), as: UTF8.self)
      .split(separator: "\n")
    #expect(lines.count == 3)
    let line = Data(try #require(lines.last).utf8)
    let last = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
    let loss = try #require(last["loss"] as? [String: Double])
    #expect(Set(loss.keys).isSuperset(of: ["total", "ranking", "kl.visual", "unique.text"]))
    let statistics = try #require(last["stat"] as? [String: Double])
    #expect(
      Set(statistics.keys).isSuperset(of: ["sigma.visual", "kl_per_dimension.text"]))
    _ = try folder.object("run/environment.json")
    let log = String(decoding: try folder.bytes("run/logs/server-0.log"), as: UTF8.self)
    let found = /in all: pulls answered: (\d+), .*; pushes applied: (\d+)/
    let counts = try #require(log.firstMatch(of: found), "\(log)")
    #expect((Int(counts.1) ?? 0) > 9 && (Int(counts.2) ?? 0) > 9, "\(counts.0)")
    let configuration = String(
      decoding: try folder.bytes("run/config.resolved.yaml"), as: UTF8.self)
    #expect(configuration.contains("shards: 3  # --shards 3"))
  }

  @Test("recommendations leave out what the user has, and are the same for every call")
  func recommend() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    _ = try train(folder, "run", data: data, ["--single-process"])
    let run = "\(folder.path)/run"
    func items(_ options: String...) throws -> [Int] {
      let command = try Command(
        arguments: ["recommend", "--run", run, "--user", "3", "--top", "40", "--json"] + options)
      #expect(command.status == 0, "\(command.errors)")
      let output = Data(command.output.utf8)
      let answer = try #require(
        try JSONSerialization.jsonObject(with: output) as? [String: Any])
      let items = try #require(answer["items"] as? [[String: Any]])
      return items.compactMap { $0["item"] as? Int }
    }
    let new = try items()
    let all = try items("--include-seen")
    #expect(new.count == 40 && Set(new).count == 40)
    #expect(new != all)
    let interactions = String(
      decoding: try folder.bytes("data/synthetic.inter"), as: UTF8.self
    ).split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
    let seen = Set(interactions.filter { $0[0] == "3" && $0[4] == "0" }.compactMap { Int($0[1]) })
    #expect(!seen.isEmpty && seen.isDisjoint(with: new))
  }

  @Test(
    "Ctrl-C, SIGTERM and a closed terminal end a run in an orderly way: the best model stays",
    arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 143)] as [(Int32, Int32)])
  func interrupt(signal: Int32, code: Int32) throws {
    let folder = try TemporaryFolder()
    let run = "\(folder.path)/run"
    let train = try RunningCommand(
      folder,
      [
        "train", "--data", try folder.generateData(), "--epochs", "100000", "--set",
        "stopping_step=100000", "--quiet", "--run", run,
      ])
    try Wait.until("the first best model") {
      FileManager.default.fileExists(atPath: "\(run)/best.json")
    }
    kill(train.processID, signal)
    #expect(try train.wait() == code)
    #expect(try folder.object("run/summary.json")["outcome"] as? String == "interrupted")
    let command = try Command("recommend", "--run", run, "--user", "0", "--top", "3")
    #expect(command.status == 0)
  }
}
