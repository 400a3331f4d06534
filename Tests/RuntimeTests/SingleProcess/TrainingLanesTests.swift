import Datasets
import Foundation
import Recommenders
import Runtime
import Tensors
import TestSupport
import Testing

/// Whole runs in one process on several numbers of lanes.
@Suite("Training has the same bits on any number of lanes")
struct TrainingLanesTests {
  private struct NoSignals: StopSignals {
    func next() -> Int32? { nil }
  }

  /// The files of the best model after one epoch.
  private func train(
    _ model: String, _ objective: String, lanes: Int, data: String, folder: TemporaryFolder,
    _ settings: [String] = []
  ) throws -> [Data] {
    let run = "\(folder.path)/\(model)-\(objective)-\(lanes)"
    let setup = try RunRequest(
      data: data,
      assignments: [
        "model=\(model)", "objective=\(objective)", "train_batch_size=1500", "epochs=1",
        "topk=[5,20]", "shards=1", "workers=1", "servers=1", "checkpoint_epochs=0",
      ] + (model == "viral" ? ["input_width=pad"] : []) + settings
    ).load()
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
    let team = Lanes(count: lanes)
    let outcome = try Lanes.$ofScope.withValue(team) {
      try SingleProcessRole(
        setup: setup, directory: RunDirectory(existing: run), runID: "run", detail: .quiet
      ).run(signals: NoSignals())
    }
    #expect(outcome.exitCode == .success, "\(outcome.message)")
    // Models without training have little to share out.
    #expect(lanes == 1 || team.jobCount > 10 || ["itemknn_content", "pop"].contains(model))
    let best = "\(run)/\(try BestModel.read(run: run).folder)"
    return try FileManager.default.contentsOfDirectory(atPath: best).sorted()
      .filter { $0.hasSuffix(".safetensors") }
      .map { try Data(contentsOf: URL(fileURLWithPath: "\(best)/\($0)")) }
  }

  /// The models that MRdIB can be added to.
  private static let withContent = [
    "bm3", "cohesion", "dualgnn", "freedom", "lattice", "mentor", "mgcn", "mmgcn", "pgl", "smore",
    "soil", "vbpr", "viral",
  ]

  @Test(
    "models over a sampled graph",
    arguments: [("lightgcn", "plain", 2), ("freedom", "mrdib", 3), ("mgcn", "plain", 3)])
  func sampledGraphs(model: String, objective: String, lanes: Int) throws {
    let folder = try TemporaryFolder()
    let data = try data(in: folder)
    let settings = ["graph_mode=sampled", "fanouts=[4,3]"]
    let expected = try train(
      model, objective, lanes: 1, data: data, folder: folder, settings)
    let found = try train(
      model, objective, lanes: lanes, data: data, folder: folder, settings)
    #expect(!expected.isEmpty && found == expected)
  }

  private func data(in folder: TemporaryFolder) throws -> String {
    var configuration = SyntheticConfiguration()
    configuration.users = 300
    configuration.items = 200
    configuration.interactionsPerUser = 12
    let data = "\(folder.path)/data"
    try SyntheticData.generate(configuration, to: data)
    return data
  }

  @Test("all models, plain and with MRdIB")
  func allModels() throws {
    let folder = try TemporaryFolder()
    let data = try data(in: folder)
    var turn = 0
    for model in ModelRegistry.names {
      for objective in ["plain", "mrdib"]
      where objective == "plain" || Self.withContent.contains(model) {
        let expected = try train(model, objective, lanes: 1, data: data, folder: folder)
        #expect(!expected.isEmpty)
        // All numbers for two of them, and one of the numbers for each other.
        turn += 1
        for lanes in ["vbpr", "lightgcn"].contains(model) ? [2, 3, 5] : [[2, 3, 5][turn % 3]] {
          let found = try train(model, objective, lanes: lanes, data: data, folder: folder)
          #expect(found == expected, "\(model) \(objective) on \(lanes) lanes")
        }
      }
    }
  }
}
