import Datasets
import Logging
import Training

extension WorkerEngine {
  private static let logger = Logger(label: "mrdib.worker")

  /// Tells a task what it waited for. One that is done was computed from the data that the run
  /// began with, or it fails.
  func advance(_ work: any Work, _ input: WorkInput) throws -> WorkOutput {
    let output = try work.advance(input)
    guard case .done = output else { return output }
    for notice in try dataset.sources.check() { Self.logger.warning("\(notice)") }
    return output
  }
}
