import Files
import Foundation

/// How far a run is, from its `metrics.jsonl`: the file can be read while the run is training, and
/// whatever release wrote it.
struct RunProgressRecord: Sendable, Equatable {
  /// The last epoch, from 0; nil before the first one is recorded.
  private(set) var epoch: Int?
  /// The highest value of the metric that selects the best epoch, and the earliest epoch with it.
  private(set) var best: (value: Double, epoch: Int)?

  static func == (left: Self, right: Self) -> Bool {
    left.epoch == right.epoch && left.best?.value == right.best?.value
      && left.best?.epoch == right.best?.epoch
  }

  private struct Line: Decodable {
    var epoch: Int
    var valid: [String: Double?]?
  }

  /// The largest file that is read: runs of 10,000 epochs have a tenth of that.
  private static let largestFile = 64 << 20

  /// - Parameters:
  ///   - path: of `metrics.jsonl`; a missing file is that of a run without epochs.
  ///   - metric: such as `recall@20`; nil if it is not known.
  init(path: String, metric: String?) {
    guard let bytes = try? PlainFile.contents(of: path, atMost: Self.largestFile) else { return }
    let decoder = JSONDecoder()
    for text in bytes.split(separator: UInt8(ascii: "\n")) {
      // The last line may be incomplete while it is being written.
      guard let line = try? decoder.decode(Line.self, from: Data(text)) else { continue }
      epoch = line.epoch
      guard let metric, let value = line.valid?[metric] ?? nil else { continue }
      if best.map({ value > $0.value }) ?? true { best = (value, line.epoch) }
    }
  }
}
