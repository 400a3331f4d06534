import Datasets
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Yesterday's run on today's data: `train --start-from`.
@Suite("train --start-from", .serialized)
struct StartFromTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func train(_ run: String, _ data: String, _ options: [String]) throws -> Command {
    try Command(
      arguments: [
        "train", "--data", data, "--model", "vbpr", "--epochs", "2", "--run", folder.path(run),
        "--set", "embedding_size=8", "--set", "train_batch_size=128",
      ] + options)
  }

  /// The tables of a run's best model.
  private func tables(_ run: String) throws -> [String: (rows: Int, width: Int, values: [Float])] {
    let best = try #require(try folder.object("\(run)/best.json")["folder"] as? String)
    let file = try MappedFile(path: folder.path("\(run)/\(best)/parameters.safetensors"))
    let header = try SafetensorsHeader(of: file)
    return withExtendedLifetime(file) {
      header.entries.mapValues { entry in
        let start = file.bytes.count - header.byteCount + entry.offset
        let values = (0..<entry.tensor.shape.reduce(1, *)).map {
          file.bytes.loadUnaligned(fromByteOffset: start + 4 * $0, as: Float.self)
        }
        return (entry.tensor.shape[0], entry.tensor.shape[1], values)
      }
    }
  }

  @Test("known rows continue where they were, new ones begin as in a run from the beginning")
  func rows() throws {
    let still = ["--objective", "plain", "--single-process", "--set", "learning_rate=1e-12"]
    let yesterday = try train(
      "yesterday", folder.writeNumberedData("old", users: 50, items: 40),
      ["--objective", "plain", "--single-process"])
    #expect(yesterday.status == 0, "\(yesterday.errors)")
    let data = try folder.writeNumberedData("new", users: 60, items: 48)
    let today = try train(
      "today", data, still + ["--epochs", "1", "--start-from", folder.path("yesterday")])
    #expect(today.status == 0, "\(today.errors)")
    #expect(today.errors.contains("50 rows, 10 new"), "\(today.errors)")
    #expect(today.errors.contains("40 rows, 8 new") && today.errors.contains("all rows"))
    #expect(try train("fresh", data, still + ["--epochs", "1"]).status == 0)

    let (old, new, fresh) = try (tables("yesterday"), tables("today"), tables("fresh"))
    #expect(Set(old.keys) == Set(new.keys) && new.count > 2)
    let isSame = { (first: ArraySlice<Float>, second: ArraySlice<Float>) in
      // The smallest learning rate is not quite zero.
      first.count == second.count && zip(first, second).allSatisfy { abs($0 - $1) < 1e-10 }
    }
    var grown = 0
    for (name, table) in new {
      let before = try #require(old[name])
      let count = before.values.count
      #expect(isSame(table.values[..<count], before.values[...]), "\(name)")
      guard table.rows > before.rows else { continue }
      grown += 1
      let begun = try #require(fresh[name])
      #expect(isSame(table.values[count...], begun.values[count...]), "\(name)")
      #expect(!isSame(table.values[..<count], begun.values[..<count]), "\(name)")
    }
    #expect(grown >= 2)
  }

  @Test("workers and servers change no bit, and the run resumes")
  func cluster() throws {
    let data = try folder.writeNumberedData("new", users: 60, items: 48)
    let yesterday = try train(
      "yesterday", folder.writeNumberedData("old", users: 50, items: 40), ["--single-process"])
    #expect(yesterday.status == 0, "\(yesterday.errors)")
    let start = [
      "--model", "vbpr", "--set", "embedding_size=8", "--start-from", folder.path("yesterday"),
    ]
    let one = try folder.train("one", data: data, start + ["--single-process"])
    let two = try folder.train("two", data: data, start + ["--workers", "2", "--servers", "2"])
    #expect(one == two)
    let fresh = try folder.train(
      "fresh", data: data, Array(start.prefix(4)) + ["--single-process"])
    #expect(one[2] != fresh[2])
    // The same command finds the finished run.
    let again = try Command(
      arguments: [
        "train", "--data", data, "--epochs", "3", "--shards", "3", "--run", folder.path("one"),
        "--set", "train_batch_size=512", "--single-process",
      ] + start)
    #expect(again.status == 0 && again.errors.contains("the run is finished"), "\(again.errors)")
  }

  @Test("other users, fewer users, another model and no run are refused with a sentence")
  func refused() throws {
    let old = try folder.writeNumberedData("old", users: 50, items: 40)
    #expect(try train("yesterday", old, ["--single-process"]).status == 0)
    let start = ["--single-process", "--start-from", folder.path("yesterday")]
    let cases: [(data: String, options: [String], status: Int32, text: String)] = try [
      (
        folder.writeNumberedData("renumbered", users: 60, items: 48, firstID: "someone"), [], 65,
        "are not the users that it was trained for"
      ),
      (folder.writeNumberedData("fewer", users: 45, items: 40), [], 65, "it has 50 users"),
      (old, ["--set", "embedding_size=16"], 78, "rows of 32 numbers"),
      (old, ["--model", "lightgcn"], 78, "rows of"),
      (old, ["--start-from", folder.path("nowhere")], 66, "no such run or file"),
    ]
    for (index, (data, options, status, text)) in cases.enumerated() {
      let run = "refused-\(index)"
      let found = try train(run, data, start + options)
      #expect(found.status == status && found.errors.contains(text), "\(found.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.path("\(run)/run.sqlite")))
    }
  }
}
