internal import CKernels
package import Tables

/// Brings rows of a checkpoint to what a pull of its version shows: `lazyExact` rows make up for
/// the steps that they missed.
public struct StoredRowCatchUp: Sendable {
  private let optimizer: Optimizer

  /// - Parameters:
  ///   - optimizer: of the run.
  ///   - schedule: of the run.
  ///   - version: of the checkpoint.
  /// - Throws: ``ParameterServerError`` if a number of the optimizer is out of its range
  ///   (`configuration`), or the version is one that no run has (`checkpoint`).
  public init(
    optimizer: OptimizerConfiguration, schedule: StepSchedule, version: UInt64
  ) throws(ParameterServerError) {
    try optimizer.validate()
    self.optimizer = try Optimizer(optimizer, schedule: schedule, atVersion: version)
  }

  /// Changes rows in place.
  ///
  /// - Parameters:
  ///   - rows: weights, then state, `[lastUpdates.count, (1 + stateCount) · width]`.
  ///   - lastUpdates: the number of each row's last update.
  ///   - table: what belongs to each row.
  ///   - group: that the table's optimizer belongs to.
  package func apply(
    to rows: UnsafeMutablePointer<Float>, lastUpdates: UnsafeBufferPointer<UInt32>,
    of table: TableShape, in group: ParameterGroup
  ) {
    guard table.tracksUpdates, table.stateCount == 2,
      let missed = optimizer.catchUp(of: .optimizer(group))
    else { return }
    let stride = table.width * (1 + table.stateCount)
    withUnsafePointer(to: missed.constants) { constants in
      missed.steps.withUnsafeBufferPointer { steps in
        guard let first = steps.baseAddress else { return }
        for (position, lastUpdate) in lastUpdates.enumerated() {
          let done = Int(lastUpdate)
          guard done > 0 && done < steps.count else { continue }
          mrdib_adam_replay(
            rows + position * stride, table.width, constants, first + done, steps.count - done)
        }
      }
    }
  }
}
