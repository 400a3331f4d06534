import Foundation
import TestSupport
import Testing

/// The program of `Examples/MarginRecommender`, which adds a model and a metric from outside.
@Suite struct ExampleTests {
  private static let program = URL(fileURLWithPath: Command.path).deletingLastPathComponent()
    .appendingPathComponent("margin-recommender").path

  private func run(_ arguments: String...) throws -> Command {
    try Command(executable: Self.program, arguments, [:])
  }

  @Test("the added setting and metric are listed, and wrong values are refused as others are")
  func settings() throws {
    let keys = try run("config", "keys")
    #expect(keys.status == 0, "\(keys.errors)")
    #expect(keys.output.contains("  margin: 1\n"))
    #expect(keys.output.contains("(a number, above 0 and at most 100; only with model margin_mf)"))
    #expect(keys.output.contains("hit_rate: the share of users who find an item"))
    let show = try run("config", "show", "--model", "margin_mf")
    #expect(show.output.contains("reg_weight: 0.001  # built-in model/margin_mf.yaml:3:13"))
    let wrong = try run("config", "show", "--model", "margin_mf", "--set", "margin=-1")
    #expect(wrong.status != 0)
    #expect(wrong.errors.contains("margin is '-1'; expected a number, above 0"), "\(wrong.errors)")
    let unknown = try Command("config", "show", "--model", "margin_mf")
    #expect(unknown.errors.contains("there is no model 'margin_mf'"), "\(unknown.errors)")
  }

  @Test("one process and a cluster train the added model to the same bytes")
  func training() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    var exports: [[Data]] = []
    for (name, shape) in [
      ("alone", ["--single-process"]), ("cluster", ["--workers", "2", "--servers", "2"]),
    ] {
      let path = folder.path(name)
      let train = try Command(
        executable: Self.program,
        [
          "train", "--data", data, "--model", "margin_mf", "--epochs", "1", "--quiet", "--json",
          "--run", path, "--set", "margin=0.5", "--set", "metrics=[recall, hit_rate]", "--set",
          "selection_metric=hit_rate@20",
        ] + shape, [:])
      #expect(train.status == 0, "\(name): \(train.errors)")
      #expect(train.output.contains("\"hit_rate@20\""), "\(name): \(train.output)")
      let export = try run("export", "--run", path, "--out", "\(path)/export")
      #expect(export.status == 0, "\(export.errors)")
      exports.append(
        try ["user", "item"].map { try folder.bytes("\(name)/export/\($0).npy") })
    }
    #expect(exports[0] == exports[1])
  }
}
