import Checkpoints
import Configuration
import Datasets
import Recommenders
import Tables
import Tensors
import Worker

/// The final vectors of users and items, and where they come from.
package struct ExportedVectors: Sendable {
  /// `[U, D]`.
  package let users: Matrix
  /// `[I, D]`.
  package let items: Matrix
  /// From 0.
  package let epoch: Int
  /// Of the tables.
  package let version: UInt64
  /// `best`, or `checkpoint` for the model as it was at a checkpoint.
  package let source: String

  /// The vectors of a side.
  func matrix(_ side: Side) -> Matrix { side == .user ? users : items }

  /// Those of a run's best model.
  ///
  /// - Throws: errors with a sentence when the run has no model, or it is damaged.
  init(bestOf run: String) throws {
    self = try BestModel.using(run: run) { model in
      ExportedVectors(
        users: try model.vectors(.user, run: run), items: try model.vectors(.item, run: run),
        epoch: Int(model.epoch), version: model.version, source: "best")
    }
  }

  private init(users: Matrix, items: Matrix, epoch: Int, version: UInt64, source: String) {
    self.users = users
    self.items = items
    self.epoch = epoch
    self.version = version
    self.source = source
  }

  /// Those that follow from the tables of a checkpoint: the bits of an evaluation of its version.
  ///
  /// Models that rank with the vectors of the last training step (`stale_ranking`) have these in
  /// their tables; they are taken from there.
  ///
  /// - Parameter setup: of the run that wrote the checkpoint.
  /// - Throws: errors with a sentence when the checkpoint cannot be read, or has other tables.
  init(of checkpoint: CheckpointView, setup: RunSetup) throws {
    let model = setup.model
    func read(_ table: Int) throws -> Matrix {
      try checkpoint.matrix(named: model.tables[table].name, of: setup)
    }
    let users: Matrix
    let items: Matrix
    let blocks = setup.blocks
    switch model.backbone.final {
    case .whole(let final) where !final.isStale:
      let none = Matrix(rows: 0, columns: 0)
      let parameters = try model.backbone.tables.indices.map {
        final.tables.contains($0) ? try read($0) : none
      }
      (users, items) = final.compute(parameters, nil)
    case .layered(let final):
      (users, items) = final.compute(
        users: try read(final.tables.user), items: try read(final.tables.item))
    case .tables, .whole:
      (users, items) = (try read(model.finalTable(.user)), try read(model.finalTable(.item)))
    case .rows(let final):
      let computed = try blocks.finalVectors(final, table: read)
      let other = try read(final.otherTable)
      (users, items) = final.side == .user ? (computed, other) : (other, computed)
    }
    self.init(
      users: users, items: items, epoch: checkpoint.manifest.epoch,
      version: checkpoint.manifest.version, source: "checkpoint")
  }
}

extension CheckpointView {
  /// A whole table of a run's model.
  fileprivate func matrix(named name: String, of setup: RunSetup) throws -> Matrix {
    let spec = setup.model.tables.first { $0.name == name }
    guard let stored = weights(of: name), let spec, stored.rows == spec.rows,
      stored.columns == spec.width
    else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot compute vectors of the checkpoint '\(manifest.name.folder)': its tables "
          + "are not those of the run's model (\(name)). Restore the run from a copy.")
    }
    let matrix = Matrix(rows: stored.rows, columns: stored.columns)
    var next = matrix.pointer
    try readRows(of: stored) { row in
      if let base = row.baseAddress { next.update(from: base, count: row.count) }
      next += row.count
    }
    return matrix
  }
}
