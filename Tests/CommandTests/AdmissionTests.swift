import Datasets
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Rows of too few interactions", .serialized)
struct AdmissionTests {
  private let folder: TemporaryFolder
  private let data: String

  init() throws {
    folder = try TemporaryFolder()
    data = try folder.writeNumberedData("data", users: 60, items: 48)
  }

  private func train(_ run: String, _ options: [String]) throws -> Command {
    try Command(
      arguments: [
        "train", "--data", data, "--run", folder.path(run), "--epochs", "3", "--shards", "3",
        "--set", "embedding_size=8", "--set", "train_batch_size=128",
      ] + options)
  }

  private func count(_ run: String, _ count: Int, _ options: [String]) throws {
    let command = try train(run, ["--set", "admission_count=\(count)"] + options)
    #expect(command.status == 0, "\(command.errors)")
  }

  /// The rows of a table of a run's best model.
  private func rows(_ table: String, of run: String) throws -> [[Float]] {
    let best = try #require(try folder.object("\(run)/best.json")["folder"] as? String)
    let file = try MappedFile(path: folder.path("\(run)/\(best)/parameters.safetensors"))
    let header = try SafetensorsHeader(of: file)
    let entry = try #require(header.entries[table])
    let (count, width) = (entry.tensor.shape[0], entry.tensor.shape[1])
    let start = file.bytes.count - header.byteCount + entry.offset
    return withExtendedLifetime(file) {
      (0..<count).map { row in
        (0..<width).map {
          file.bytes.loadUnaligned(
            fromByteOffset: start + 4 * (row * width + $0), as: Float.self)
        }
      }
    }
  }

  /// How many training interactions each item has.
  private func itemCounts() throws -> [Int] {
    var counts = [Int](repeating: 0, count: 48)
    let text = try String(decoding: folder.bytes("data/data.inter"), as: UTF8.self)
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t")
      if fields[2] == "0" { counts[try #require(Int(fields[1]))] += 1 }
    }
    return counts
  }

  @Test("keep their initial values, all others are trained; workers and servers change no bit")
  func keep() throws {
    // The smallest learning rate leaves the initial values.
    let still = ["--single-process", "--set", "learning_rate=1e-12", "--epochs", "1"]
    #expect(try train("initial", still).status == 0)
    try count("one", 6, ["--single-process"])
    try count("many", 6, ["--workers", "2", "--servers", "3"])
    #expect(try folder.exportedBytes("one") == folder.exportedBytes("many"))
    let counts = try itemCounts()
    #expect(counts.contains { $0 < 6 } && counts.contains { $0 >= 6 })
    let isInitial = { (left: [Float], right: [Float]) in
      zip(left, right).allSatisfy { abs($0 - $1) < 1e-9 }
    }
    let (items, users) = try (rows("item", of: "one"), rows("user", of: "one"))
    let (firstItems, firstUsers) = try (rows("item", of: "initial"), rows("user", of: "initial"))
    for (item, count) in counts.enumerated() {
      #expect(isInitial(items[item], firstItems[item]) == (count < 6), "\(item): \(count)")
    }
    // All users have six.
    #expect(!zip(users, firstUsers).contains { isInitial($0, $1) })
    try count("none", 7, ["--single-process"])
    #expect(try zip(rows("user", of: "none"), firstUsers).allSatisfy { isInitial($0, $1) })
  }

  @Test("a model that reads whole tables in every step is refused with the table")
  func refused() throws {
    let found = try train(
      "refused", ["--model", "lightgcn", "--set", "admission_count=3", "--single-process"])
    #expect(found.status == 78, "\(found.errors)")
    #expect(
      found.errors.contains("'lightgcn' reads its table 'user' as a whole"), "\(found.errors)")
  }
}
