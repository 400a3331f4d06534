import Foundation
import TestSupport
import Testing

extension TemporaryFolder {
  /// Trains three short epochs and returns the bytes of the result.
  func train(_ name: String, data: String, _ options: [String]) throws -> [Data] {
    let run = "\(path)/\(name)"
    let command = try Command(
      arguments: [
        "train", "--data", data, "--epochs", "3", "--shards", "3", "--quiet", "--run", run,
        "--set", "train_batch_size=512",
      ] + options)
    #expect(command.status == 0, "\(name): \(command.errors)")
    return try exportedBytes(name)
  }

  /// The bytes of a run's final matrices of users and items, and of the parameters of its best
  /// epoch.
  func exportedBytes(_ name: String) throws -> [Data] {
    let run = "\(path)/\(name)"
    let export = try Command("export", "--run", run, "--format", "npy", "--out", "\(run)/export")
    #expect(export.status == 0, "\(export.errors)")
    let best = try object("\(name)/best.json")
    let model = try #require(best["folder"] as? String)
    return try [
      bytes("\(name)/export/user.npy"), bytes("\(name)/export/item.npy"),
      bytes("\(name)/\(model)/parameters.safetensors"),
    ]
  }
}
