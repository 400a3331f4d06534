import Configuration
import Experiments
import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct ComparedSettingsTests {
  /// Groups of one run each, whose directories hold only their settings.
  private static func groups(
    _ settings: [String], in folder: TemporaryFolder, origins: [ComparedRun.SweepOrigin?] = []
  ) throws -> [ComparedGroup] {
    try settings.enumerated().map { index, yaml in
      let path = folder.path("run-\(index)")
      let directory = try RunDirectory.create(at: path, existingRun: .refuse)
      let layers = try ConfigurationLayer(yaml: yaml, label: "run.yaml")
      let configuration = try RunRequest(data: nil).resolve([layers])
      try Data(configuration.resolvedYAML().utf8).write(
        to: URL(fileURLWithPath: directory.configurationPath))
      let result = RunResult(
        model: "vbpr", dataset: "d", bestEpoch: 1, epochsRun: 2, parameterCount: 3, valid: [:],
        test: [:], seconds: [:])
      return ComparedGroup(
        label: "\(index)",
        runs: [
          ComparedRun(
            path: path, seed: 1, result: result,
            origin: origins.indices.contains(index) ? origins[index] : nil)
        ])
    }
  }

  private static func warnings(
    _ settings: String..., origins: [ComparedRun.SweepOrigin?] = []
  ) throws -> [String] {
    let folder = try TemporaryFolder()
    return try ComparedSettings(groups(settings, in: folder, origins: origins)).warnings
  }

  @Test("one difference is what is compared; more are listed with their values")
  func differences() throws {
    #expect(try Self.warnings("seed: 1", "seed: 2\nworkers: 5\ncheckpoint_epochs: 7") == [])
    #expect(try Self.warnings("learning_rate: 0.001", "learning_rate: 0.0005") == [])
    #expect(
      try Self.warnings(
        "objective: plain\nlearning_rate: 0.001", "objective: mrdib\nlearning_rate: 0.0005")
        == ["the runs differ in learning_rate (0.001, 0.0005) besides objective"])
    #expect(
      try Self.warnings(
        "epochs: 5\nstopping_step: 3", "epochs: 5\nstopping_step: 4", "epochs: 6\nstopping_step: 3")
        == [
          "the runs differ in epochs (5, 6), stopping_step (3, 4), so the result says nothing of each "
            + "alone"
        ])
  }

  @Test("settings that only one of the objectives or models has do not count")
  func scopes() throws {
    #expect(try Self.warnings("objective: plain", "objective: mrdib\nalpha1: 0.7") == [])
    #expect(
      try Self.warnings(
        "model: grcn\nobjective: plain\nrouting: true", "model: bpr\nobjective: plain") == [])
  }

  @Test("of different models, settings that are their own defaults do not count, others do")
  func models() throws {
    #expect(
      try Self.warnings(
        "model: bpr\nobjective: plain\nreg_weight: 0.01",
        "model: vbpr\nobjective: plain\nreg_weight: 0.3")
        == ["the runs differ in reg_weight (0.01, 0.3) besides model"])
    let request = RunRequest(data: nil)
    func regularization(_ model: String) throws -> String {
      let yaml = "model: \(model)"
      return try #require(
        try request.resolve([ConfigurationLayer(yaml: yaml, label: "x")]).value(of: "reg_weight"))
    }
    let own = try ["mgcn", "vbpr"].map(regularization)
    #expect(own[0] != own[1])
    #expect(
      try Self.warnings(
        "model: mgcn\nobjective: plain\nreg_weight: \(own[0])\nlr_decay: 1",
        "model: vbpr\nobjective: plain\nreg_weight: \(own[1])") == [])
  }

  @Test("how long is trained counts even if it is the models' own default, also in one sweep")
  func patience() throws {
    let soil = "model: soil\nobjective: plain"
    let vbpr = "model: vbpr\nobjective: plain"
    let expected = ["the runs differ in stopping_step (10, 20) besides model"]
    #expect(try Self.warnings(soil, vbpr) == expected)
    let origin = ComparedRun.SweepOrigin(path: "/one", coordinates: ["model"])
    #expect(try Self.warnings(soil, vbpr, origins: [origin, origin]) == expected)
    #expect(try Self.warnings(soil + "\nstopping_step: 20", vbpr) == [])
  }

  @Test("what a sweep varies is compared, and other data is named")
  func sweeps() throws {
    let first = ComparedRun.SweepOrigin(path: "/one", coordinates: ["learning_rate", "seed"])
    let second = ComparedRun.SweepOrigin(path: "/two", coordinates: ["learning_rate", "seed"])
    let plain = "objective: plain\nlearning_rate: 0.001\nstopping_step: 3"
    let other = "objective: mrdib\nlearning_rate: 0.0005\nstopping_step: 3"
    #expect(try Self.warnings(plain, other, origins: [first, second]) == [])
    #expect(
      try Self.warnings(
        plain, other + "\ntrain_batch_size: 512", origins: [first, second])
        == ["the runs differ in train_batch_size (2048, 512) besides learning_rate, objective"])
    #expect(
      try Self.warnings(plain, other + "\ntrain_batch_size: 512", origins: [first, first]) == [])
    // A baseline without features has another digest of the same folder.
    let digits = (0...1).map { String(repeating: "\($0)", count: 32) }
    let data = try Self.warnings(
      "data_digest: 'xxh128:\(digits[0])'", "data_digest: 'xxh128:\(digits[1])'")
    #expect(data.count == 1 && data[0].contains("different data"))
    func run(_ model: String, _ folder: String, _ digit: Int) -> String {
      "model: \(model)\nobjective: plain\ndata: \(folder)\ndata_digest: 'xxh128:\(digits[digit])'"
    }
    func mentionsData(_ runs: String...) throws -> Bool {
      let folder = try TemporaryFolder()
      return try ComparedSettings(Self.groups(runs, in: folder)).warnings
        .contains { $0.contains("different data") }
    }
    #expect(try !mentionsData(run("bpr", "/shop", 0), run("vbpr", "/shop", 1)))
    #expect(try mentionsData(run("bpr", "/shop", 0), run("vbpr", "/other", 1)))
    #expect(try mentionsData(run("bpr", "/shop", 0), run("bpr", "/shop", 1)))
    #expect(
      try mentionsData(run("bpr", "/shop", 0), run("vbpr", "/shop", 1), run("vbpr", "/shop", 0)))
  }
}
