import Foundation
import TestSupport
import Testing

/// `mrdib plan`, and what `mrdib doctor` says about a run.
@Suite struct PlanTests {
  private static func object(_ command: Command) throws -> [String: Any] {
    #expect(command.status == 0, "\(command.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
  }

  @Test("a cluster exchanges the bytes that were predicted, and its checkpoint has them")
  func cluster() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let options = [
      "--data", data, "--model", "vbpr", "--workers", "2", "--servers", "2", "--shards", "2",
      "--threads", "1", "--set", "train_batch_size=200", "--quiet",
    ]
    let plan = try Self.object(Command(arguments: ["plan", "--json"] + options))
    let steps = try #require(plan["steps_per_epoch"] as? Int)
    var bytes: [Double] = []
    for epochs in [1, 6] {
      let run = folder.path("run-\(epochs)")
      let trained = try Command(
        arguments: ["train", "--run", run, "--telemetry", "0"] + options
          + ["--epochs", "\(epochs)", "--set", "eval_step=\(epochs)"])
      #expect(trained.status == 0, "\(trained.errors)")
      bytes.append(
        try ["server-0", "server-1"].reduce(0) { try $0 + Self.networkBytes(of: $1, in: run) })
    }
    let measured = (bytes[1] - bytes[0]) / Double(5 * steps)
    let traffic = try #require(plan["traffic"] as? [String: Any])
    let servers = try #require(traffic["servers"] as? [String: [String: Double]])
    let predicted = (servers["sent"]?["bytes"] ?? 0) + (servers["received"]?["bytes"] ?? 0)
    #expect(abs(predicted / measured - 1) < 0.05, "\(predicted) predicted, \(measured) measured")

    let checkpoints = URL(fileURLWithPath: folder.path("run-6/checkpoints"))
    let files = try FileManager.default.subpathsOfDirectory(atPath: checkpoints.path)
      .filter { $0.hasSuffix(".safetensors") }
    let newest = try #require(files.map { $0.split(separator: "/")[0] }.max())
    let size = try files.filter { $0.hasPrefix(newest) }.reduce(0) { sum, file in
      let path = checkpoints.appendingPathComponent(file).path
      return sum + (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0)
    }
    let disk = try #require(plan["disk"] as? [String: Int])
    #expect(abs(Double(disk["checkpoint"] ?? 0) / Double(size) - 1) < 0.02, "\(size) \(disk)")
  }

  /// Bytes that a process has sent and received, by its last metrics.
  private static func networkBytes(of process: String, in run: String) throws -> Double {
    let text = try String(contentsOfFile: "\(run)/telemetry/\(process).prom", encoding: .utf8)
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("mrdib_network_bytes_total{") }
    #expect(lines.count == 2)
    return lines.reduce(0) { $0 + (Double($1.split(separator: " ").last ?? "") ?? 0) }
  }

  @Test("sizes take the place of data, and clusters are compared up to the one that is asked for")
  func sizes() throws {
    let plan = try Self.object(
      Command(
        "plan", "--users", "3000000", "--items", "200000", "--feature", "visual=32", "--model",
        "vbpr", "--workers", "4", "--servers", "2", "--shards", "4", "--batch-size", "128",
        "--scaling", "--machine-memory", "0.25", "--quiet", "--json"))
    #expect((plan["data"] as? [String: Int])?["interactions"] == 24_000_000)
    #expect(plan["batch_size"] as? Int == 128)
    let clusters = try #require(plan["scaling"] as? [[String: Any]])
    #expect(clusters.compactMap { $0["workers"] as? Int } == [1, 2, 4])
    #expect(clusters.compactMap { $0["servers"] as? Int } == [1, 1, 2])
    #expect(clusters.allSatisfy { ($0["step_seconds"] as? Double ?? 0) > 0 })
    // 3,000,000 rows of 128 floats with Adam's states are 4.6 GB.
    let fit = try #require(plan["fit"] as? [String: Any])
    #expect((fit["problems"] as? [String])?.isEmpty == false)
  }

  @Test("sizes or data are needed, and not both")
  func usage() throws {
    for arguments in [
      ["plan"], ["plan", "--users", "1000"], ["plan", "--users", "1000", "--items", "5"],
      ["plan", "--data", "x", "--users", "1000", "--items", "500"],
      ["plan", "--users", "1000", "--items", "500", "--feature", "visual"],
      ["doctor", "--cluster", "--model", "vbpr"],
    ] {
      #expect(try Command(arguments: arguments).status == 64, "\(arguments)")
    }
  }

  @Test("doctor: a run that fits, and one whose checkpoints do not")
  func doctor() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let fits = try Command("doctor", "--data", data, "--model", "lightgcn", "--quiet")
    #expect(fits.status == 0, "\(fits.errors)")
    #expect(fits.output.contains("worker") && fits.output.contains("\nfits: "))
    let large = try Command(
      "doctor", "--data", data, "--quiet", "--set", "checkpoint_keep=1000000", "--set",
      "embedding_size=4096", "--json")
    #expect(large.status == 71)
    #expect(large.errors.contains("does not fit into this machine"), "\(large.errors)")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(large.output.utf8)) as? [String: Any])
    let machine = try #require(report["machine"] as? [String: Any])
    #expect((machine["problems"] as? [String])?.isEmpty == false)
  }
}
