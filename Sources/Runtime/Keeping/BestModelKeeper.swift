import Dispatch
import Models

/// Makes the files of a best model and makes them the run's best. Both wait for the disk, so it has
/// a queue of its own; checkpoints have another, and a last one is not held up.
///
/// One model is saved at a time. One that is dropped while its files are completed becomes the
/// run's best all the same, which it is by the records; nothing is heard of it, and the files of
/// the next are made when it is done with.
///
/// Belongs to one thread. Reports come from another.
package final class BestModelKeeper {
  /// Which model is wanted, and where its rows are.
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
    /// The files are made and lack their rows.
    case begun(Wanted, BestModelWriter)
    /// One of the files is complete.
    case moved
    case saved
    /// `isTransient`: another try can succeed.
    case failed(String, isTransient: Bool)
  }

  /// An outcome on its way to the thread that this belongs to.
  package struct Report: Sendable {
    fileprivate let number: Int
    fileprivate let outcome: Outcome
  }

  private let queue = DispatchQueue(label: "mrdib.coordinator.model", qos: .utility)
  private let run: String
  private let model: TrainingModel
  private let checkPlace: @Sendable () throws -> Void
  private let report: @Sendable (Report) -> Void
  /// Of the saving under way; one that is dropped has an older one.
  private var number = 0

  /// - Parameters:
  ///   - run: the run directory.
  ///   - checkPlace: throws if the run directory is not the one that the records are in any more.
  ///   - report: called on the queue, after every job at the latest.
  package init(
    run: String, model: TrainingModel, checkPlace: @escaping @Sendable () throws -> Void = {},
    report: @escaping @Sendable (Report) -> Void
  ) {
    self.run = run
    self.model = model
    self.checkPlace = checkPlace
    self.report = report
  }

  /// Makes the files. The report is `begun` or `failed`.
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

  /// Completes the files, which have all rows now. The last report is `saved` or `failed`.
  package func finish(_ writer: BestModelWriter) {
    work { [number, checkPlace, report] in
      try checkPlace()
      try writer.finish { report(Report(number: number, outcome: .moved)) }
      return .saved
    }
  }

  /// Nothing is to be heard any more of the saving under way, if there is one.
  package func drop() { number += 1 }

  /// What a report says; nil if it is of a saving that was dropped.
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
