internal import Files
internal import Foundation
internal import Runtime

/// A line of a run's `metrics.jsonl`: what an epoch measured. Numbers that were not finite are
/// missing.
struct EpochRecord: Sendable, Equatable {
  let epoch: Int
  /// The terms of the loss before their weights, and `total`.
  let loss: [String: Double]
  /// What the objective and other parts of training record of themselves.
  let statistics: [String: Double]
  /// Empty if the epoch was not evaluated.
  let valid: [String: Double]
  /// Empty if the epoch was not evaluated.
  let test: [String: Double]
  /// `train`, and `evaluate` if it was evaluated.
  let seconds: [String: Double]

  /// The most bytes of a file that are read; an epoch takes about two thousand.
  private static let largestFile = 256 << 20

  /// Reads all epochs of a run. A last line without an end is one that is being written, and is
  /// left out.
  ///
  /// - Returns: ascending by epoch; empty if no epoch is finished.
  /// - Throws: ``ReportError`` with the first line that cannot be read.
  static func read(_ directory: RunDirectory) throws -> [EpochRecord] {
    let path = directory.metricsPath
    let bytes: [UInt8]
    do {
      bytes = try PlainFile.contents(of: path, atMost: largestFile)
    } catch {
      if error.isMissing { return [] }
      throw ReportError(.inputOutput, "Cannot read '\(path)': \(error.reason).")
    }
    let end = bytes.lastIndex(of: UInt8(ascii: "\n")) ?? bytes.startIndex
    let lines = bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let decoder = JSONDecoder()
    let records = try lines.enumerated().map { position, line in
      guard let record = try? decoder.decode(Line.self, from: Data(line)).record else {
        throw ReportError(
          .dataMalformed,
          "Cannot read '\(path)', line \(position + 1): it is no record of an epoch. Restore the "
            + "file from a copy, or start the run's command again, which writes it again.")
      }
      return record
    }
    return records.sorted { $0.epoch < $1.epoch }
  }

  private struct Line: Decodable {
    var epoch: Int
    var loss: [String: Double?]?
    var stat: [String: Double?]?
    var valid: [String: Double?]?
    var test: [String: Double?]?
    var seconds: [String: Double?]?

    var record: EpochRecord {
      func known(_ values: [String: Double?]?) -> [String: Double] {
        (values ?? [:]).compactMapValues { $0 }
      }
      return EpochRecord(
        epoch: epoch, loss: known(loss), statistics: known(stat), valid: known(valid),
        test: known(test), seconds: known(seconds))
    }
  }
}
