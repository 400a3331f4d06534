import Foundation
import TestSupport
import Testing

/// The metrics, the health and the JSON logs of real processes.
@Suite("Telemetry of runs") struct TelemetryTests {
  /// The values of a text of metrics, by name with labels.
  private func values(_ text: String) -> [String: Double] {
    var values: [String: Double] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let blank = line.lastIndex(of: " ") else { continue }
      values[String(line[..<blank])] = Double(line[line.index(after: blank)...])
    }
    return values
  }

  /// The last line of `metrics.jsonl`. `JSONSerialization` would round its numbers.
  private struct Epoch: Decodable {
    var loss: [String: Double]
    var valid: [String: Double]
  }

  private func lastEpoch(_ folder: TemporaryFolder, _ run: String) throws -> Epoch {
    let line = try #require(try folder.text("\(run)/metrics.jsonl").split(separator: "\n").last)
    return try JSONDecoder().decode(Epoch.self, from: Data(line.utf8))
  }

  /// The address that a process has left in the folder of its run.
  private func announcedPort(_ folder: TemporaryFolder, _ file: String) -> UInt16? {
    guard let data = FileManager.default.contents(atPath: folder.path(file)),
      let list = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]],
      let target = (list.first?["targets"] as? [String])?.first
    else { return nil }
    return target.split(separator: ":").last.flatMap { UInt16($0) }
  }

  /// The lines of a log, each an object of the schema.
  private func records(_ text: String) throws -> [[String: Any]] {
    let keys: Set = ["time", "level", "role", "name", "event", "message", "fields"]
    return try text.split(separator: "\n").map { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let record = try #require(object, "no JSON: \(line)")
      #expect(Set(record.keys) == keys, "\(line)")
      #expect(record["fields"] is [String: Any], "\(line)")
      #expect(["debug", "info", "warning", "error"].contains(record["level"] as? String ?? ""))
      let time = try #require(record["time"] as? String)
      #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(time)")
      return record
    }
  }

  @Test("a cluster's last metrics are its records, and every line of its logs is JSON")
  func cluster() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let command = try Command(
      arguments: [
        "train", "--data", data, "--model", "bpr", "--epochs", "3", "--run", folder.path("run"),
        "--workers", "2", "--servers", "1", "--shards", "2", "--telemetry", "0",
      ], environment: ["MRDIB_LOG_FORMAT": "json"])
    try #require(command.status == 0, "\(command.errors)")

    let last = try lastEpoch(folder, "run")
    let coordinator = values(try folder.text("run/telemetry/coordinator.prom"))
    let label = "process=\"coordinator\""
    let loss = try #require(last.loss["total"])
    #expect(coordinator["mrdib_run_loss{part=\"total\",\(label)}"] == loss)
    let recall = last.valid["recall@20"]
    #expect(
      coordinator["mrdib_run_metric{split=\"valid\",metric=\"recall@20\",\(label)}"] == recall)
    #expect(coordinator["mrdib_run_epochs_finished{\(label)}"] == 3)
    let steps = try #require(coordinator["mrdib_run_steps_per_epoch{\(label)}"])
    #expect(coordinator["mrdib_run_steps_total{\(label)}"] == 3 * steps)
    #expect(coordinator["mrdib_run_state{state=\"completed\",\(label)}"] == 1)
    #expect(coordinator["mrdib_run_members_joined_total{role=\"worker\",\(label)}"] == 2)

    // What the parts counted adds up to what the run counted.
    let examples = try #require(coordinator["mrdib_run_examples_total{\(label)}"])
    var trained = 0.0
    for rank in 0..<2 {
      let worker = values(try folder.text("run/telemetry/worker-\(rank).prom"))
      let own = "process=\"worker-\(rank)\""
      trained += try #require(worker["mrdib_worker_examples_total{\(own)}"])
      #expect(worker["mrdib_worker_versions_total{\(own)}"] == 3 * steps)
      let pulls = "mrdib_worker_request_duration_seconds_count{kind=\"pull\",\(own)}"
      #expect(try #require(worker[pulls]) >= 3 * steps)
    }
    #expect(trained == examples)
    let server = values(try folder.text("run/telemetry/server-0.prom"))
    #expect(server["mrdib_server_version{process=\"server-0\"}"] == 3 * steps)
    #expect(server["mrdib_server_pushes_total{process=\"server-0\"}"] == 3 * steps * 2)
    #expect(
      server["mrdib_server_table_rows{table=\"user\",process=\"server-0\"}"] == 150)
    let launcher = values(try folder.text("run/telemetry/launcher.prom"))
    #expect(
      launcher["mrdib_launcher_restarts_total{child=\"worker-0\",process=\"launcher\"}"] == 0)
    #expect(announcedPort(folder, "run/telemetry/coordinator.json") == nil)

    let shown = try records(command.errors)
    let events = Set(shown.compactMap { $0["event"] as? String })
    #expect(events.isSuperset(of: ["cluster_formed", "epoch_finished", "evaluated", "run_ended"]))
    let finished = shown.filter { $0["event"] as? String == "epoch_finished" }
    #expect(finished.count == 3)
    #expect(command.errors.contains("\"loss.total\":\(loss),"))
    for name in ["worker-0", "worker-1", "server-0", "coordinator"] {
      let log = try records(try folder.text("run/logs/\(name).log"))
      #expect(log.contains { $0["name"] as? String == name }, "\(name)")
    }
  }

  @Test("a run in one process answers, with the token only, until it ends")
  func whileRunning() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let token = "a-token-of-32-characters-exactly"
    let run = try RunningCommand(
      folder,
      [
        "train", "--single-process", "--data", data, "--model", "bpr", "--epochs", "100000",
        "--set", "stopping_step=100000", "--run", folder.path("run"), "--telemetry", "0",
        "--telemetry-token", try folder.write(token + "\n", to: "token"),
      ])
    var found: UInt16?
    try Wait.until("the process leaves its address") {
      found = announcedPort(folder, "run/telemetry/train.json")
      return found != nil
    }
    let port = try #require(found)
    #expect(try TestSocket.get("/metrics", at: port).hasPrefix("HTTP/1.1 401 "))
    let header = "Authorization: Bearer \(token)"
    try Wait.until("the run trains") {
      try TestSocket.get("/readyz", at: port, header).hasPrefix("HTTP/1.1 200 ")
    }
    #expect(try TestSocket.get("/healthz", at: port, header).hasSuffix("alive\n"))
    #expect(try TestSocket.get("/secret", at: port, header).hasPrefix("HTTP/1.1 404 "))
    try Wait.until("the counters of the roles appear") {
      let metrics = values(try TestSocket.get("/metrics", at: port, header))
      return (metrics["mrdib_run_steps_total"] ?? 0) > 0
        && (metrics["mrdib_worker_examples_total"] ?? 0) > 0
        && (metrics["mrdib_server_pulls_total"] ?? 0) > 0
    }
    let text = try TestSocket.get(
      "/metrics", at: port, header + "\r\nAccept: application/openmetrics-text")
    #expect(text.contains("Content-Type: application/openmetrics-text; version=1.0.0"))
    #expect(text.hasSuffix("\n# EOF\n"))
    run.terminate()
    #expect(try run.wait() == 143)
    #expect(announcedPort(folder, "run/telemetry/train.json") == nil)
    let last = values(try folder.text("run/telemetry/train.prom"))
    #expect(last["mrdib_run_state{state=\"interrupted\",process=\"train\"}"] == 1)
  }

  @Test("an address, token or format that cannot be used is refused with its reason")
  func refusals() throws {
    let folder = try TemporaryFolder()
    func refused(
      _ options: [String], _ environment: [String: String] = [:], code: Int32, _ reason: String
    ) throws {
      let command = try Command(
        arguments: ["worker", "--join-timeout", "1"] + options, environment: environment)
      #expect(command.status == code, "\(command.errors)")
      #expect(command.errors.contains(reason), "\(command.errors)")
    }
    try refused(["--telemetry", "here"], code: 64, "'here' is not a port")
    try refused([], ["MRDIB_TELEMETRY": "70000"], code: 64, "'70000' is not a port")
    try refused(
      ["--telemetry", "0", "--telemetry-token", folder.path("none")], code: 66,
      "Cannot read the token file")
    try refused(
      ["--telemetry", "0", "--telemetry-token", try folder.write("short", to: "short")], code: 65,
      "it is not one line of 16 to 256")
    try refused([], ["MRDIB_LOG_FORMAT": "xml"], code: 64, "neither 'text' nor 'json'")
    let taken = try TestSocket.Listener()
    try refused(
      ["--telemetry", "\(taken.port)"], code: 69, "Cannot listen at 127.0.0.1:\(taken.port)")
  }
}
