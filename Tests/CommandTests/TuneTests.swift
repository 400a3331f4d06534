import Foundation
import TestSupport
import Testing

/// `mrdib tune` and `mrdib data disturb` as programs.
@Suite struct TuneTests {
  @Test("a search prints its rungs and the choice, records its seeds, and is done when repeated")
  func search() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let path = folder.path("search")
    let arguments = [
      "tune", "--data", data, "--model", "bpr", "--objective", "plain", "--epochs", "10",
      "--set", "embedding_size=8", "--seeds", "5,6,999", "--run", path,
    ]
    let listed = try Command(arguments: arguments + ["--dry-run"])
    #expect(listed.status == 0, "\(listed.errors)")
    #expect(listed.output.split(separator: "\n").count >= 3, "\(listed.output)")
    #expect(!FileManager.default.fileExists(atPath: path))

    let first = try Command(arguments: arguments)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("chosen: ") && first.output.contains("cost: "))
    #expect(first.errors.contains("--config \(path)/chosen.yaml --seed 1\n"), "\(first.errors)")
    #expect(!first.errors.contains("--seed 999"))
    let record = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: "\(path)/tune.json")))
        as? [String: Any])
    #expect(record["search_seeds"] as? [Int] == [5, 6, 999])
    let digest = try #require((record["chosen"] as? [String: Any])?["digest"] as? String)
    #expect(digest.count == 16)
    #expect(record["cost"] as? Double ?? .infinity <= 3)

    let again = try Command(arguments: arguments)
    #expect(again.output == first.output)
    #expect(!again.errors.contains("after"), "nothing is trained: \(again.errors)")
    let plan = try Command(
      "train", "--data", data, "--config", "\(path)/chosen.yaml", "--seed", "1", "--dry-run")
    #expect(plan.status == 0, "\(plan.errors)")
  }

  @Test("the chosen settings, trained with a seed of the search, are not compared with its help")
  func seedsOfSearch() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let path = folder.path("search")
    let settings = ["--epochs", "10", "--set", "embedding_size=8"]
    let search = try Command(
      arguments: [
        "tune", "--data", data, "--model", "bpr", "--objective", "plain", "--seeds", "5,6,7",
        "--run", path,
      ] + settings)
    try #require(search.status == 0, "\(search.errors)")
    for seed in ["6", "8"] {
      let run = try Command(
        "train", "--data", data, "--config", "\(path)/chosen.yaml", "--seed", seed, "--run",
        folder.path(seed), "--single-process")
      #expect(run.status == 0, "\(run.errors)")
    }
    let refused = try Command("compare", folder.path("6"), "--search", path)
    #expect(refused.status == 64, "\(refused.output)")
    #expect(refused.errors.contains("seeds that it has here (6)"), "\(refused.errors)")
    let left = try Command("compare", folder.path("6"), folder.path("8"), "--search", path)
    #expect(left.status == 0 && left.errors.contains("the seeds 6, on which"), "\(left.errors)")
    let seeds = ["--set", "seed=[7, 8]", "--set", "hyper_parameters=[seed]"]
    let sweep = try Command(
      arguments: [
        "sweep", "--data", data, "--config", "\(path)/chosen.yaml", "--search", path, "--run",
        folder.path("sweep"),
      ] + seeds)
    #expect(sweep.status == 64 && sweep.errors.contains("with the seeds 7:"), "\(sweep.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("sweep")))
    let other = try Command("compare", folder.path("6"), "--search", folder.path("8"))
    #expect(other.errors.contains("--search): it is not the folder"), "\(other.errors)")
    // As it is until the search is finished.
    try FileManager.default.removeItem(atPath: "\(path)/tune.json")
    let unfinished = try Command("compare", folder.path("8"), "--search", path)
    #expect(unfinished.status == 64, "\(unfinished.output)")
    #expect(unfinished.errors.contains("it has chosen no settings"), "\(unfinished.errors)")
  }

  @Test(
    "too few seeds and too small a budget are refused before anything is read",
    arguments: [
      (["--seeds", "1,2"], "at least three"), (["--seeds", "1,1,2"], "distinct"),
      (["--budget", "1"], "more than 1"), (["--jobs", "0"], "--jobs"),
    ])
  func mistakes(arguments: [String], expected: String) throws {
    let command = try Command(arguments: ["tune", "--data", "/nowhere"] + arguments)
    #expect(command.status == 64 && command.errors.contains(expected), "\(command.errors)")
  }

  @Test("a disturbed folder is a valid data set, and options are checked")
  func disturb() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let none = try Command("data", "disturb", data, "--out", folder.path("none"))
    #expect(none.status == 64 && none.errors.contains("--permute, --swap-share or --noise"))
    let share = try Command(
      "data", "disturb", data, "--out", folder.path("none"), "--swap-share", "30")
    #expect(share.status == 64 && share.errors.contains("above 0, at most 1"))
    let made = try Command(
      "data", "disturb", data, "--out", folder.path("noisy"), "--swap-share", "0.3", "--noise", "1")
    #expect(made.status == 0, "\(made.errors)")
    #expect(made.output.contains("27 of 90 items have another item's features"), "\(made.output)")
    #expect(made.errors.contains("mrdib train --data"))
    #expect(try Command("data", "validate", folder.path("noisy")).status == 0)
    let stats = try Command("data", "stats", folder.path("noisy"))
    #expect(stats.output.contains("disturb"), "\(stats.output)")
  }
}
