import Coordinator
import Protocol
import Runtime
import Testing

/// Lines in terminals of every width: none wraps, and none loses where the run is and how long it
/// still takes.
@Suite struct ProgressWidthTests {
  private static let widths = 20...200

  private func text(_ outputs: [ProgressView.Output]) -> String {
    switch outputs.first {
    case .line(let text), .status(let text): text
    case nil: ""
    }
  }

  /// Numbers of one digit, and numbers of seven.
  private static let sizes: [UInt32] = [7, 1_234_567]

  /// A run within an epoch, with a metric whose name is long.
  private func view(width: Int, in epoch: UInt32) -> ProgressView {
    var view = ProgressView.of(
      .rewriting(width: width), epochs: 2 * epoch, metric: "valid.precision@100",
      examples: 1_234_567)
    _ = view.handle(.clusterFormed(workers: 2, servers: 1, seconds: 1), at: 0)
    _ = view.handle(.epochStarted(epoch: epoch - 3, workers: 2), at: 0)
    view.finish(epoch - 2, value: 0.0213, loss: 1_234_567, metric: "valid.precision@100", at: 30)
    _ = view.handle(.epochStarted(epoch: epoch - 1, workers: 2), at: 30)
    return view
  }

  /// What a line has of the time left: `left 3s-2m`, or without the word.
  private func hasTimeLeft(_ line: String) -> Bool {
    line.contains(/\b\d{1,3}[smhd](-\d{1,3}[smhd])?$/)
  }

  @Test("the rewritten line", arguments: sizes)
  func status(epoch: UInt32) {
    for width in Self.widths {
      var view = view(width: width, in: epoch)
      _ = view.handle(.epochStarted(epoch: epoch, workers: 2), at: 60)
      let lost = RunEvent.nodeLost(role: .worker, rank: 0, host: "n", how: "it left")
      for activity in [RunEvent.Activity.train, .materialize, .rank] {
        let line = text(
          view.handle(
            .progress(activity, epoch: epoch, done: UInt64(epoch), total: UInt64(2 * epoch)),
            at: 70))
        #expect(line.count < width, "\(width): \(line)")
        #expect(line.contains("\(epoch)"), "\(width): \(line)")
        #expect(hasTimeLeft(line), "\(width): \(line)")
        _ = view.handle(lost, at: 70)
      }
    }
  }

  @Test("the line of an epoch", arguments: sizes)
  func epoch(number: UInt32) {
    for width in Self.widths {
      var view = view(width: width, in: number)
      let line = text(
        view.finish(
          number, value: 0.0209, loss: 1_234_567, metric: "valid.precision@100",
          best: (number - 2, 0.0213), misses: 2, at: 90))
      #expect(line.count < width, "\(width): \(line)")
      #expect(line.contains("\(number)"), "\(width): \(line)")
      #expect(hasTimeLeft(line), "\(width): \(line)")
    }
  }

  @Test("80 columns have room for all parts, also with long names and seven digits")
  func eighty() {
    var view = view(width: 80, in: 1_234_567)
    let line = text(
      view.finish(
        1_234_567, value: 0.0209, loss: 1_234_567, metric: "valid.precision@100",
        best: (1_234_565, 0.0213), misses: 2, at: 90))
    for part in [
      "epoch 1234567", "loss 1.23e6", "precision@100 .0209", "best .0213", "2 ago", "/s",
    ] {
      #expect(line.contains(part), "\(part) in \(line)")
    }
    #expect(hasTimeLeft(line) && line.count < 80, "\(line)")
    _ = view.handle(.epochStarted(epoch: 1_234_568, workers: 2), at: 90)
    let status = text(
      view.handle(
        .progress(.train, epoch: 1_234_568, done: 1_234_567, total: 2_345_678), at: 95))
    for part in ["epoch 1234568", "52%", "loss 1.23e6", "best .0213", "3 ago", "/s", "left "] {
      #expect(status.contains(part), "\(part) in \(status)")
    }
    #expect(status.count < 80, "\(status)")
  }

  @Test("40 columns show the metric; wide terminals show everything in full")
  func narrowAndWide() {
    func line(_ width: Int) -> String {
      var view = ProgressView.of(.rewriting(width: width), epochs: 1000, patience: 20)
      _ = view.handle(.epochStarted(epoch: 11, workers: 2), at: 0)
      return text(
        view.finish(12, value: 0.0209, best: (9, 0.0213), misses: 3, at: 6))
    }
    #expect(line(40) == "epoch 12 recall@20 .0209 54s-49m")
    #expect(
      line(120)
        == "epoch  12  loss .4123  valid recall@20 .0209  best .0213 (3 ago)   50.0k examples/s  "
        + "left 54s-49m")
  }

  @Test("a terminal that becomes narrower gets shorter lines")
  func resized() {
    var view = view(width: 100, in: 7)
    view.resize(to: 30)
    let line = text(view.handle(.progress(.train, epoch: 6, done: 1, total: 2), at: 40))
    #expect(line.count < 30 && line.hasPrefix("epoch 6"), "\(line)")
  }
}
