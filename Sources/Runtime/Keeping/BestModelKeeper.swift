import Dispatch
import Models

/// Writes the files of the best model and makes them the run's best. Both wait for the disk, so
/// this class has a queue of its own; checkpoints have another, so that a last checkpoint is not
/// delayed.
///
/// One model is saved at a time. A model that is dropped while its files are being completed still
/// becomes the run's best, as the records say; it is not reported any more, and the next model
/// waits until it is done.
///
/// Used by one thread. Reports are sent from another.
package final class BestModelKeeper {
  /// The model to save, and the servers that have its rows.
  package struct Wanted: Sendable, Equatable {
    package var epoch: UInt32
    package var version: UInt64
    package var generation: UInt64
    /// Of the servers, by rank.
    package var endpoints: [String]

    package init(epoch: UInt32, version: UInt64, generation: UInt64, endpoints: [String] = []) {
      self.epoch = epoch
      self.version = version
      self.generation = generation
      self.endpoints = endpoints
    }
  }

  package enum Outcome: Sendable {
    /// The files are created and lack their rows.
    case begun(Wanted, BestModelWriter)
    /// One of the files is complete.
    case moved
    case saved
    /// `isTransient`: a retry can succeed.
    case failed(String, isTransient: Bool)
  }

  /// An outcome on its way to the owner's thread.
  package struct Report: Sendable {
    fileprivate let number: Int
    fileprivate let outcome: Outcome
  }

  private let queue = DispatchQueue(label: "mrdib.coordinator.model", qos: .utility)
  private let run: String
  private let model: TrainingModel
  private let checkPlace: @Sendable () throws -> Void
  private let report: @Sendable (Report) -> Void
  /// The number of the current save; reports of a dropped one have a lower number.
  private var number = 0

  /// - Parameters:
  ///   - run: the run directory.
  ///   - checkPlace: throws if the run directory was moved or replaced.
  ///   - report: called on the queue, at least once per job.
  package init(
    run: String, model: TrainingModel, checkPlace: @escaping @Sendable () throws -> Void = {},
    report: @escaping @Sendable (Report) -> Void
  ) {
    self.run = run
    self.model = model
    self.checkPlace = checkPlace
    self.report = report
  }

  /// Creates the files. The report is `begun` or `failed`.
  package func begin(_ wanted: Wanted) {
    drop()
    work { [run, model, checkPlace] in
      try checkPlace()
      return .begun(
        wanted,
        try BestModelWriter(
          run: run, model: model, epoch: wanted.epoch, version: wanted.version))
    }
  }

  /// Completes the files once they have all rows. The last report is `saved` or `failed`.
  package func finish(_ writer: BestModelWriter) {
    work { [number, checkPlace, report] in
      try checkPlace()
      try writer.finish { report(Report(number: number, outcome: .moved)) }
      return .saved
    }
  }

  /// Ignores all further reports of the current save, if there is one.
  package func drop() { number += 1 }

  /// The outcome of a report; nil if its save was dropped.
  package func take(_ report: Report) -> Outcome? {
    report.number == number ? report.outcome : nil
  }

  private func work(_ body: @escaping @Sendable () throws -> Outcome) {
    queue.async { [number, report] in
      do {
        report(Report(number: number, outcome: try body()))
      } catch {
        let isTransient = PassingShortage.caused(error)
        report(
          Report(number: number, outcome: .failed("\(error)", isTransient: isTransient)))
      }
    }
  }
}
