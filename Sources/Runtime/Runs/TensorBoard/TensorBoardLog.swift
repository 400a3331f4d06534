import Checkpoints
import Coordinator
import Datasets
import Dispatch
import Files
import Foundation
import Logging
import Recommenders
import Synchronization
import Transport

/// `events.out.tfevents.*`: what a run records of every epoch, for TensorBoard. The step is the
/// epoch.
///
/// Everything is written on a queue of its own: a slow disk delays nothing. If writing fails, one
/// warning says so, and the run continues without; `metrics.jsonl` has the same numbers.
///
/// A run that is resumed gets a new file, which continues after the last epoch of the ones before.
/// What those lack, since the process before was killed, comes first. If an epoch is recorded
/// again, the event of a new session goes in front of it: from there on readers drop what they have
/// of this step and later ones.
///
/// `Sendable` is unchecked because all state but the budget is used on the queue.
package final class TensorBoardLog: @unchecked Sendable {
  /// The beginning of the names of TensorBoard's files.
  static let prefix = "events.out.tfevents."

  /// The largest file that is read to find its last epoch. An epoch has a few kilobytes.
  private static let mostBytes = 1 << 28
  /// Jobs that wait for the disk; beyond, they are dropped.
  private static let mostWaiting = 1000
  /// The share of the time that histograms may take is one of so many parts.
  private static let budget = 100.0
  /// How long the end of a run waits for what is not written yet.
  private static let patience = 5.0

  private let queue = DispatchQueue(label: "mrdib.tensorboard", qos: .utility)
  private let waiting = Mutex(0)
  private let file: FileDescriptor
  private let path: String
  private let parameters: HyperParameters
  private let histograms: ModalityHistograms?
  private let logger = Logger(label: "mrdib.tensorboard")
  /// The last epoch that was written; -1 before the first.
  private var lastStep: Int64
  private var hasFailed = false
  /// When histograms may be computed again, on the monotonic clock.
  private var histogramsFrom = -Double.infinity
  /// The epoch of the best model whose histograms were left out to save time.
  private var skipped: UInt32?

  /// Opens a new file in a run's directory.
  ///
  /// - Parameter histograms: computes those of the best model; nil for a model without codes.
  /// - Throws: `CheckpointError` if it cannot be created.
  package init(
    directory: String, parameters: HyperParameters, histograms: ModalityHistograms?,
    date: Date = Date()
  ) throws {
    self.parameters = parameters
    self.histograms = histograms
    let earlier = Self.files(in: directory)
    lastStep = earlier.map(Self.lastStep).max() ?? -1
    // Files are read in the order of their names, which begin with the second of their creation.
    let latest = earlier.compactMap(Self.second).max() ?? 0
    let second = max(Int(date.timeIntervalSince1970), latest + 1)
    let host = ProcessInfo.processInfo.hostName.map { $0 == "/" ? "_" : $0 }
    path =
      "\(directory)/\(Self.prefix)\(String(format: "%010d", second))."
      + "\(String(host)).\(ProcessInfo.processInfo.processIdentifier).0"
    file = try FileDescriptor(path, .append, purpose: "write '\(path)'")
    let parameters = parameters
    write { now in
      [
        EventMessage(time: now, .fileVersion),
        EventMessage(time: now, .summary(parameters.beginning(at: now))),
      ]
    }
  }

  /// The paths of a run's files, by name.
  static func files(in directory: String) -> [String] {
    let names = (try? PlainFile.names(in: directory, atMost: 1 << 16)) ?? []
    return names.filter { $0.hasPrefix(prefix) }.map { "\(directory)/\($0)" }
  }

  private static func second(of path: String) -> Int? {
    path.range(of: prefix, options: .backwards)
      .flatMap { Int(path[$0.upperBound...].prefix { $0 != "." }) }
  }

  /// The last epoch in a file; -1 if it has none.
  private static func lastStep(of path: String) -> Int64 {
    guard let bytes = try? PlainFile.contents(of: path, atMost: mostBytes) else { return -1 }
    // The first two events have no epoch.
    return TFRecord.contents(of: bytes).dropFirst(2).compactMap(EventMessage.outline)
      .filter(\.isSummary).map(\.step).max() ?? -1
  }

  /// Writes an epoch.
  package func append(_ epoch: EpochSummary, evaluation: EvaluationSummary?) {
    write { [self] now in
      let step = Int64(epoch.epoch)
      let isRepeated = step <= lastStep
      lastStep = step
      let event = EventMessage(
        time: now, step: step, .summary(Self.scalars(of: epoch, evaluation)))
      return isRepeated ? [EventMessage(time: now, step: step, .start), event] : [event]
    }
  }

  /// Writes the epochs of a resumed run that earlier files lack.
  package func complete(_ epochs: [(EpochSummary, EvaluationSummary?)]) {
    write { [self] now in
      epochs.filter { Int64($0.0.epoch) > lastStep }.map { epoch, evaluation in
        lastStep = Int64(epoch.epoch)
        return EventMessage(
          time: now, step: lastStep, .summary(Self.scalars(of: epoch, evaluation)))
      }
    }
  }

  /// Writes how σ and the divergences of the best model, which was saved just now, are
  /// distributed, if there is time.
  package func noteBestSaved(epoch: UInt32) {
    guard histograms != nil else { return }
    write { [self] now in
      guard MonotonicClock.seconds >= histogramsFrom else {
        skipped = epoch
        return []
      }
      return distributions(epoch: epoch, at: now)
    }
  }

  /// Writes how the run ended and waits a while for what is not written yet.
  ///
  /// - Parameter ending: nil for a run that can be resumed.
  package func finish(_ ending: HyperParameters.Ending?) {
    write { [self] now in
      var events = skipped.map { distributions(epoch: $0, at: now) } ?? []
      if let ending {
        events.append(
          EventMessage(
            time: now, step: max(0, lastStep), .summary(parameters.end(ending, at: now))))
      }
      return events
    }
    let done = DispatchSemaphore(value: 0)
    queue.async { done.signal() }
    _ = done.wait(timeout: .now() + Self.patience)
  }

  /// Computes histograms, and bounds the time until the next ones.
  private func distributions(epoch: UInt32, at now: Double) -> [EventMessage] {
    skipped = nil
    let start = MonotonicClock.seconds
    // The model may have been replaced meanwhile; there will be another one then.
    let values = (try? histograms?.values(epoch: epoch)) ?? []
    let end = MonotonicClock.seconds
    histogramsFrom = end + Self.budget * (end - start)
    return values.isEmpty
      ? [] : [EventMessage(time: now, step: Int64(epoch), .summary(values))]
  }

  /// Writes events on the queue.
  private func write(_ events: @escaping @Sendable (_ now: Double) -> [EventMessage]) {
    let isFull = waiting.withLock { count in
      count += 1
      return count > Self.mostWaiting
    }
    guard !isFull else { return waiting.withLock { $0 -= 1 } }
    queue.async { [self] in
      defer { waiting.withLock { $0 -= 1 } }
      guard !hasFailed else { return }
      MappedFile.unblockBusErrors()
      let records = events(Date().timeIntervalSince1970).flatMap { TFRecord.framed($0.bytes) }
      do {
        // At once, so that a process that is killed seldom leaves a part.
        try file.writeAll(records, purpose: "write '\(path)'")
      } catch {
        hasFailed = true
        logger.warning("\(error) TensorBoard will not show the rest of the run.")
      }
    }
  }

  /// Tags are groups and names: `loss/total`, `stat/sigma.text`, `valid/recall@20`.
  private static func scalars(
    of epoch: EpochSummary, _ evaluation: EvaluationSummary?
  ) -> [(tag: String, value: EventMessage.Value)] {
    var values = epoch.values
    values["seconds.train"] = epoch.seconds
    if let evaluation {
      values.merge(evaluation.metrics) { $1 }
      values["seconds.evaluate"] = evaluation.seconds
    }
    return values.sorted { $0.key < $1.key }.map { (tag($0.key), .scalar($0.value)) }
  }

  /// The tag of a recorded name, such as `valid.recall@20`.
  static func tag(_ name: String) -> String {
    guard let dot = name.firstIndex(of: ".") else { return "sum/\(name)" }
    return "\(name[..<dot])/\(name[name.index(after: dot)...])"
  }
}
