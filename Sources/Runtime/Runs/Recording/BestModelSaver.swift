import Dispatch
import Nodes
import Recommenders

/// Writes the files of the best model and makes them the run's best. Both wait for the disk, so
/// this class has a queue of its own; checkpoints have another, so that a last checkpoint is not
/// delayed.
///
/// One model is saved at a time. A model that is dropped while its files are being completed still
/// becomes the run's best, as in the records; the next model waits until it is done.
package final class BestModelSaver: Sendable {
  private let queue = DispatchQueue(label: "mrdib.coordinator.model", qos: .utility)
  private let run: String
  private let model: TrainingModel
  private let identifiers: IdentifierDigests?
  private let keepsIdentifiers: Bool
  private let checkPlace: @Sendable () throws -> Void
  private let report: @Sendable (BestModelEvent<BestModelWriter>, _ saving: UInt64) -> Void

  /// - Parameters:
  ///   - run: the run directory.
  ///   - identifiers: of the data set, to be recorded with the model.
  ///   - keepsIdentifiers: whether those of a model that the run has already are recorded instead.
  ///   - checkPlace: throws if the run directory was moved or replaced.
  ///   - report: called on the queue with the outcome of a job, and the number of its request.
  package init(
    run: String, model: TrainingModel, identifiers: IdentifierDigests? = nil,
    keepsIdentifiers: Bool = true,
    checkPlace: @escaping @Sendable () throws -> Void = {},
    report: @escaping @Sendable (BestModelEvent<BestModelWriter>, _ saving: UInt64) -> Void
  ) {
    self.run = run
    self.model = model
    self.identifiers = identifiers
    self.keepsIdentifiers = keepsIdentifiers
    self.checkPlace = checkPlace
    self.report = report
  }

  /// Creates the files. The report is `begun` or `failed`.
  package func begin(_ request: BestModelRequest) {
    work(on: request) { [run, model, identifiers, keepsIdentifiers] in
      .begun(
        try BestModelWriter(
          run: run, model: model, epoch: request.epoch, version: request.version,
          identifiers: identifiers, keepsIdentifiers: keepsIdentifiers))
    }
  }

  /// Completes the files once they have all rows. The last report is `saved` or `failed`.
  package func finish(_ writer: BestModelWriter, of request: BestModelRequest) {
    work(on: request) { [report] in
      try writer.finish { report(.moved, request.number) }
      return .saved
    }
  }

  private func work(
    on request: BestModelRequest,
    _ body: @escaping @Sendable () throws -> BestModelEvent<BestModelWriter>
  ) {
    queue.async { [checkPlace, report] in
      do {
        try checkPlace()
        do {
          report(try body(), request.number)
        } catch {
          // If the run directory was moved meanwhile, that is the error to report.
          try checkPlace()
          throw error
        }
      } catch {
        let isTransient = TransientShortage.isCause(of: error)
        report(.failed("\(error)", isTransient: isTransient), request.number)
      }
    }
  }
}
