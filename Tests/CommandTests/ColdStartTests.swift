import Foundation
import TestSupport
import Testing

/// Users and items without training data, and sweeps with failed runs.
@Suite struct ColdStartTests {
  @Test("a user and items without training interactions are named, in words and in JSON")
  func recommend() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    // User 1 has no training row, and no user has item 2.
    let path = "\(data)/synthetic.inter"
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    var changed = [lines[0]]
    for line in lines.dropFirst() {
      let fields = line.split(separator: "\t")
      if fields[0] == "1", fields[4] == "0" { continue }
      if fields[1] == "2", fields[4] == "0" { continue }
      changed.append(line)
    }
    try Data((changed.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path))
    let run = folder.path("run")
    let train = try Command(
      "train", "--data", data, "--run", run, "--single-process", "--epochs", "1", "--quiet")
    #expect(train.status == 0, "\(train.errors)")
    func ask(_ user: Int, _ options: String...) throws -> Command {
      let command = try Command(
        arguments: ["recommend", "--run", run, "--user", "\(user)", "--top", "90"] + options)
      #expect(command.status == 0, "\(command.errors)")
      return command
    }
    let known = try ask(0)
    #expect(!known.errors.contains("user 0 has no"), "\(known.errors)")
    #expect(known.errors.contains("items without training interactions: 2;"), "\(known.errors)")
    let unknown = try ask(1, "--json")
    #expect(unknown.errors.contains("user 1 has no training interactions"), "\(unknown.errors)")
    let answer = try #require(
      try JSONSerialization.jsonObject(with: Data(unknown.output.utf8)) as? [String: Any])
    #expect(answer["training_interactions"] as? Int == 0)
    let items = try #require(answer["items"] as? [[String: Any]])
    let cold = items.filter { $0["training_interactions"] as? Int == 0 }
    #expect(cold.compactMap { $0["item"] as? Int } == [2])
    // Without the data there are no counts, and so no warnings.
    try FileManager.default.moveItem(atPath: data, toPath: folder.path("away"))
    let blind = try ask(1, "--include-seen")
    #expect(!blind.errors.contains("warning"), "\(blind.errors)")
  }

  @Test("training says that a model cannot score cold items, and which models can")
  func training() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let cold = folder.path("cold")
    let split = try Command(
      "data", "split", data, "--replace-split", "--kind", "cold-items", "--seed", "7", "--out",
      cold)
    #expect(split.status == 0, "\(split.errors)")
    func train(_ model: String, _ data: String) throws -> String {
      let command = try Command(
        "train", "--data", data, "--model", model, "--objective", "plain", "--single-process",
        "--epochs", "1", "--overwrite", "--run", folder.path("run-\(model)"))
      #expect(command.status == 0, "\(command.errors)")
      return command.errors
    }
    for (model, words) in [
      ("bpr", "leaves their vectors at their random start"), ("pop", "ranks them below all others"),
      ("bm3", "leaves their vectors at their random start"),
    ] {
      let errors = try train(model, cold)
      #expect(errors.contains("items of validation and test have no training"), "\(errors)")
      #expect(errors.contains("\(model) \(words)"), "\(errors)")
      #expect(errors.contains("itemknn_content") && errors.contains("vbpr"), "\(errors)")
      #expect(!errors.contains("bm3, "), "\(errors)")
    }
    for (model, data) in [("vbpr", cold), ("itemknn_content", cold), ("bpr", data)] {
      #expect(!(try train(model, data)).contains("no training interactions"), "\(model)")
    }
  }

  @Test("a sweep with failed runs prints the results of the others and exits with 1")
  func failedRuns() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let grid = try folder.write(
      "alpha3: [0.05, 1000000]\nhyper_parameters: [alpha3]\n", to: "grid.yaml")
    let common =
      ["--data", data, "--epochs", "5", "--quiet"]
      + ["train_batch_size=512", "optimizer=sgd", "learning_rate=100", "mrdib_form=published"]
      .flatMap { ["--set", $0] }
    let sweep = try Command(
      arguments: ["sweep", "--config", grid, "--run", folder.path("sweep")] + common)
    #expect(sweep.status == 1, "\(sweep.errors)")
    #expect(sweep.errors.contains("1 of 2 runs failed (alpha3=1"), "\(sweep.errors)")
    // The results of the others are printed.
    #expect(sweep.output.contains("chosen by validation"), "\(sweep.output)")
    #expect(sweep.output.contains("failed: alpha3=1"), "\(sweep.output)")
  }
}
