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
  ///   - rows: weights, then states, `[lastUpdates.count, stride]`.
  ///   - lastUpdates: the number of each row's last update.
  ///   - layout: of each row.
  ///   - rule: of the table.
  package func apply(
    to rows: UnsafeMutablePointer<Float>, lastUpdates: UnsafeBufferPointer<UInt32>,
    of layout: RowLayout, rule: UpdateRule
  ) {
    guard layout.tracksUpdates, let missed = optimizer.catchUp(of: rule) else { return }
    for (position, lastUpdate) in lastUpdates.enumerated() {
      missed.catchUp(rows + position * layout.stride, width: layout.width, from: Int(lastUpdate))
    }
  }
}
