import Nodes
import Recommenders
import Tensors
import Worker

/// Collects the rows of a best model in memory.
package final class SimulatedModelWriter: BestModelSink {
  private let request: BestModelRequest
  private let tableCount: Int
  /// What was read, by table.
  private var bits: [[UInt32]]

  init(_ request: BestModelRequest, of model: TrainingModel) {
    self.request = request
    tableCount = model.tables.count
    bits = model.tables.map { _ in [] }
  }

  package func reading(routing: TableRouting, generation: UInt64) -> ReadTablesWork {
    ReadTablesWork(
      routing: routing, tables: Array(0..<tableCount), version: request.version,
      generation: generation
    ) { [self] table, _, rows in
      bits[table] += rows.elements.map(\.bitPattern)
    }
  }

  /// What was read.
  var model: SimulatedDisk.SavedModel {
    SimulatedDisk.SavedModel(epoch: request.epoch, version: request.version, bits: bits)
  }
}
