import Foundation
import TestSupport
import Testing

/// `data split` and `data subset` as a user runs them.
@Suite struct DataSplitCommandTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    var text = "userID\titemID\trating\ttimestamp\n"
    var generator = SeededGenerator(seed: 5)
    for user in 0..<60 {
      for item in (0..<40).shuffled(using: &generator).prefix(12) {
        text += "\(user)\t\(item)\t\(1 + generator.below(5))\t\(1_400_000_000 + item * 1000)\n"
      }
    }
    try FileManager.default.createDirectory(
      atPath: folder.path("ratings"), withIntermediateDirectories: true)
    try folder.write(text, to: "ratings/ratings.inter")
  }

  @Test("what was split can be trained on")
  func splitAndTrain() throws {
    let out = folder.path("out")
    let split = try Command(
      "data", "split", folder.path("ratings"), "--out", out, "--by", "leave-one-out", "--core", "5")
    #expect(split.status == 0, "\(split.errors)")
    #expect(split.output.contains("validation 60, test 60"), "\(split.output)")
    #expect(split.errors.contains("next: mrdib train --data \(out)"))
    let run = try Command(
      "train", "--data", out, "--model", "bpr", "--objective", "plain", "--epochs", "1",
      "--single-process", "--run", folder.path("run"))
    #expect(run.status == 0, "\(run.errors)")
    // The result says how the split was made.
    #expect(try folder.text("run/summary.json").contains("leave-one-out"))
  }

  @Test("a subset that is not split yet names the command that splits it")
  func subsetThenSplit() throws {
    let subset = try Command(
      "data", "subset", folder.path("ratings"), "--out", folder.path("small"), "--users", "50%")
    #expect(subset.status == 0, "\(subset.errors)")
    #expect(subset.errors.contains("next: mrdib data split \(folder.path("small")) --out"))
    let split = try Command(
      "data", "split", folder.path("small"), "--out", folder.path("small-split"))
    #expect(split.status == 0, "\(split.errors)")
    #expect(try folder.text("small-split/users.tsv").split(separator: "\n").count == 31)
  }

  @Test(
    "items or users are held out as a whole, and an evaluation shows the cold and the warm ones",
    arguments: [("cold-items", "items with 0"), ("cold-users", "users with 1")])
  func cold(kind: String, group: String) throws {
    let out = folder.path("out")
    let split = try Command(
      "data", "split", folder.path("ratings"), "--out", out, "--kind", kind, "--seed", "3")
    #expect(split.status == 0, "\(split.errors)")
    #expect(try folder.text("out/dataset.yaml").contains("by: \(kind)"))
    let run = try Command(
      "train", "--data", out, "--model", "pop", "--single-process", "--run", folder.path("run"),
      "--set", "metric_groups=true")
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n").filter { $0.hasPrefix(group + "\t") }
    #expect(lines.count == 1, "\(run.output)")
  }

  @Test(
    "options that do not belong together are errors of the command line",
    arguments: [
      ["--by", "random", "--test-from", "2014-01-01"],
      ["--by", "leave-one-out", "--ratios", "8,1,1"],
      ["--kind", "cold-items", "--valid-from", "2014-01-01"],
      ["--by", "time", "--valid-from", "2014-01-01"], ["--ratios", "1,2"], ["--core", "0"],
      ["--by", "time", "--valid-from", "2015-01-01", "--test-from", "2014-01-01"],
      ["--duplicates", "none"], ["--seed", "-1"], ["--minimum-rating", "nan"],
    ])
  func usage(options: [String]) throws {
    let out = folder.path("out")
    let command = try Command(
      arguments: ["data", "split", folder.path("ratings"), "--out", out] + options)
    #expect(command.status == 64, "\(options): \(command.errors)")
    #expect(!FileManager.default.fileExists(atPath: out))
  }

  @Test("a folder with files is replaced only with --overwrite")
  func overwrite() throws {
    let arguments = ["data", "split", folder.path("ratings"), "--out", folder.path("out")]
    try FileManager.default.createDirectory(
      atPath: folder.path("out"), withIntermediateDirectories: true)
    try folder.write("mine", to: "out/notes.txt")
    let refused = try Command(arguments: arguments)
    #expect(refused.status == 78 && refused.errors.contains("--overwrite"), "\(refused.errors)")
    #expect(try folder.text("out/notes.txt") == "mine")
    // What is no data set is not replaced at all: the folder may be mistyped.
    let mistyped = try Command(arguments: arguments + ["--overwrite"])
    #expect(mistyped.status == 78 && mistyped.errors.contains("no data set"), "\(mistyped.errors)")
    #expect(try folder.text("out/notes.txt") == "mine")
    try folder.write("userID\titemID\n", to: "out/old.inter")
    let foreign = try Command(arguments: arguments + ["--overwrite"])
    #expect(foreign.status == 78 && foreign.errors.contains("'notes.txt'"), "\(foreign.errors)")
    #expect(try folder.text("out/notes.txt") == "mine")
    try FileManager.default.removeItem(atPath: folder.path("out/notes.txt"))
    #expect(try Command(arguments: arguments + ["--overwrite"]).status == 0)
    #expect(try folder.files == ["out", "ratings"])
  }
}
