import Foundation
import TestSupport
import Testing

/// Numbers of workers, servers and lanes in real processes.
@Suite(.serialized) struct LaneClusterTests {
  /// Large enough for work that lanes share.
  private func generateData(_ folder: TemporaryFolder) throws -> String {
    let data = folder.path("data")
    let command = try Command(
      "data", "generate", "--out", data, "--users", "400", "--items", "300", "--interactions", "12")
    #expect(command.status == 0, "\(command.errors)")
    return data
  }

  @Test(
    "workers, servers and threads change no bit",
    arguments: [
      ["--model", "vbpr", "--objective", "mrdib"],
      ["--model", "vbpr", "--objective", "mrdib", "--set", "mrdib_form=published"],
      ["--model", "lightgcn"],
    ])
  func sameBits(options: [String]) throws {
    let folder = try TemporaryFolder()
    let data = try generateData(folder)
    let common = options + ["--set", "train_batch_size=2048"]
    let alone = try folder.train(
      "alone", data: data, common + ["--single-process", "--threads", "1"])
    for (workers, servers, threads) in [(1, 1, 1), (1, 2, 2), (2, 1, 1), (2, 2, 2), (3, 2, 1)] {
      let name = "w\(workers)-s\(servers)-t\(threads)"
      let cluster = try folder.train(
        name, data: data,
        common + [
          "--workers", "\(workers)", "--servers", "\(servers)", "--threads", "\(threads)",
        ])
      #expect(cluster == alone, "\(name)")
    }
    let lanes = try folder.train(
      "lanes", data: data, common + ["--single-process", "--threads", "3"])
    #expect(lanes == alone)
  }

  @Test("a cluster says what it computes on; impossible numbers are refused")
  func choice() throws {
    let folder = try TemporaryFolder()
    let data = try generateData(folder)
    let run = try Command(
      "train", "--data", data, "--run", folder.path("run"), "--epochs", "1", "--threads", "2")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("2 workers on 2 threads each, 2 servers on 2 threads each"))
    let refused = try Command(
      "train", "--data", data, "--run", folder.path("other"), "--threads", "65")
    #expect(refused.status == 78 && refused.errors.contains("--threads 65"), "\(refused.errors)")
    let worker = try Command("worker", "--threads", "0")
    #expect(worker.status == 64 && worker.errors.contains("--threads is 0"), "\(worker.errors)")
  }
}
