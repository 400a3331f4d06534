import Datasets
import Foundation
import Protocol
import Recommenders
import Runtime
import TestSupport
import Worker

/// A run directory and a model of a few rows, whose files can be written without training it.
struct TinyModel {
  let folder: TemporaryFolder
  let setup: RunSetup
  var run: String { "\(folder.path)/run" }

  init(_ assignments: [String] = []) throws {
    folder = try TemporaryFolder()
    var configuration = SyntheticConfiguration()
    configuration.users = 60
    configuration.items = 50
    configuration.interactionsPerUser = 12
    let data = "\(folder.path)/data"
    try SyntheticData.generate(configuration, to: data)
    setup = try RunRequest(
      data: data,
      assignments: [
        "model=vbpr", "embedding_size=8", "train_batch_size=256", "topk=[5,20]", "shards=1",
        "workers=1", "servers=1",
      ] + assignments
    ).load()
    try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
  }

  func writer(epoch: UInt32) throws -> BestModelWriter {
    try BestModelWriter(run: run, model: setup.model, epoch: epoch, version: 7)
  }

  /// Appends all rows, with the same value everywhere.
  func fill(_ writer: BestModelWriter, with value: Float = 0) throws {
    let reading = writer.reading(
      routing: TableRouting(tables: setup.model.tables, serverCount: 1), generation: 1)
    var output = try reading.advance(.begin)
    while case .pull(let requests) = output {
      output = try reading.advance(.pulled(requests.map { answer($0.body, with: value) }))
    }
  }

  private func answer(_ request: PullRequest, with value: Float) -> PullReply {
    let count = request.sections.reduce(0) { $0 + Int($1.rowCount * $1.width) }
    return PullReply(
      version: request.version, sections: request.sections,
      values: .copying([Float](repeating: value, count: count)))
  }

  /// Writes a best model from beginning to end.
  func save(epoch: UInt32, value: Float = 0) throws {
    let writer = try writer(epoch: epoch)
    try fill(writer, with: value)
    try writer.finish()
  }

  /// What is in a folder of the run.
  func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(run)/\(path)").sorted()
  }
}

extension BestModel {
  /// The final vectors of one row of a side, `[D]`; nil if there is no such row.
  func vector(_ side: Side, row: Int, run: String) throws -> [Float]? {
    let file = try NPYFile(path: "\(run)/\(folder)/\(side).npy")
    guard (0..<file.rows).contains(row) else { return nil }
    return [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
      if let base = buffer.baseAddress { file.copyRow(row, to: base) }
      count = file.columns
    }
  }
}
