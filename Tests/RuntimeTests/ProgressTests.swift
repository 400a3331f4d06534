import Coordinator
import Runtime
import Testing

@Suite struct ProgressTests {
  private static func epoch(_ epoch: UInt32) -> RunEvent {
    .epochFinished(
      EpochSummary(
        epoch: epoch, version: 8,
        values: ["loss.total": 0.41234, "loss.bpr": 0.4, "loss.l2": 1e-5],
        seconds: 2))
  }

  @Test("a rewritten line shows step, losses, speed and time left, within the terminal's width")
  func rewriting() {
    var view = ProgressView(
      style: .rewriting(width: 200), epochs: 10, examplesPerEpoch: 100_000)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    _ = view.handle(Self.epoch(0), at: 2)
    _ = view.handle(.epochStarted(epoch: 1, workers: 2), at: 3)
    let output = view.handle(.progress(.train, epoch: 1, done: 29, total: 58), at: 4)
    #expect(
      output == [
        .status(
          "epoch 1/10  step 29/58  loss 0.4123 (bpr 0.4000, l2 1.000e-05)  50.0k examples/s  "
            + "at most 23s left")
      ])
    var narrow = ProgressView(style: .rewriting(width: 20), epochs: 10, examplesPerEpoch: 1)
    guard
      case .status(let text)? = narrow.handle(
        .progress(.rank, epoch: 1, done: 29, total: 58), at: 4
      ).first
    else {
      Issue.record("no status")
      return
    }
    #expect(text.count == 19)
  }

  @Test("a worker with other kernels than earlier ones causes a warning, also in quiet style")
  func otherKernels() {
    for style in [ProgressStyle.plain(interval: 30), .quiet] {
      var view = ProgressView(style: style, epochs: 10, examplesPerEpoch: 1)
      let event = RunEvent.otherKernels(host: "b", name: "Zen\u{1B}[2J", before: ["SkylakeX"])
      guard case .line(let line)? = view.handle(event, at: 0).first else {
        Issue.record("no line")
        continue
      }
      #expect(line.hasPrefix("warning: the worker on b uses OpenBLAS's Zen?[2J kernels, "))
      #expect(line.contains("others in this run used SkylakeX"))
    }
  }

  @Test("the line of an epoch has the staleness, if rows may be stale")
  func staleness() {
    var view = ProgressView(style: .plain(interval: 30), epochs: 10, examplesPerEpoch: 100_000)
    let values = [
      "loss.total": 0.5, "staleness.0": 3, "staleness.2": 1, "staleness.total": 2,
      "staleness.mean": 0.5, "staleness.max": 2,
    ]
    let summary = EpochSummary(epoch: 0, version: 8, values: values, seconds: 2)
    #expect(
      view.handle(.epochFinished(summary), at: 2) == [
        .line("epoch 0/10  loss 0.5000  staleness 0.5000 (at most 2)  50.0k examples/s  2s")
      ])
  }

  @Test("elsewhere there is one line per epoch and one every 30 seconds")
  func plain() {
    var view = ProgressView(style: .plain(interval: 30), epochs: 10, examplesPerEpoch: 1000)
    var lines = 0
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    for second in 1...100 {
      lines +=
        view.handle(
          .progress(.train, epoch: 0, done: UInt64(second), total: 200), at: Double(second)
        ).count
    }
    #expect(lines == 3)
    #expect(
      view.handle(Self.epoch(0), at: 101) == [
        .line("epoch 0/10  loss 0.4123 (bpr 0.4000, l2 1.000e-05)  500 examples/s  2s")
      ])
  }

  @Test("overdue checkpoints cause a warning that names the disk")
  func overdue() {
    var view = ProgressView(style: .quiet, epochs: 10, examplesPerEpoch: 1000)
    #expect(
      view.handle(.checkpointOverdue(newest: 118, dueCount: 5, slowest: "server 1"), at: 1) == [
        .line(
          "warning: none of the last 5 checkpoints that were due was completed, the newest is of "
            + "version 118; check the disk of server 1, or write checkpoints less often")
      ])
    #expect(
      view.handle(.checkpointOverdue(newest: nil, dueCount: 5, slowest: nil), at: 2) == [
        .line(
          "warning: none of the last 5 checkpoints that were due was completed, there is none so "
            + "far; check the disks of the checkpoints, or write checkpoints less often")
      ])
  }

  @Test("quiet shows failures and refusals only")
  func quiet() {
    var view = ProgressView(style: .quiet, epochs: 10, examplesPerEpoch: 1000)
    #expect(view.handle(Self.epoch(0), at: 1).isEmpty)
    #expect(view.handle(.progress(.train, epoch: 0, done: 1, total: 2), at: 99).isEmpty)
    let done = RunOutcome(ending: .completed, epochsFinished: 1, best: nil)
    #expect(view.handle(.stopping(done), at: 100).isEmpty)
    let failure = RunFailure(kind: .peerLost, message: "worker 1 is lost")
    let failed = RunOutcome(ending: .failed(failure), epochsFinished: 1, best: nil)
    #expect(view.handle(.stopping(failed), at: 100) == [.line("error: worker 1 is lost")])
  }

  @Test("a line is rewritten only on a terminal that wants it")
  func styles() {
    func style(_ environment: [String: String], isTerminal: Bool = true) -> ProgressStyle {
      .choose(isTerminal: isTerminal, width: 100, isQuiet: false, environment: environment)
    }
    #expect(style(["TERM": "xterm"]) == .rewriting(width: 100))
    #expect(style(["NO_COLOR": ""]) == .rewriting(width: 100))
    for environment in [["NO_COLOR": "1"], ["CI": "true"], ["TERM": "dumb"]] {
      #expect(style(environment) == .plain(interval: 30))
    }
    #expect(style([:], isTerminal: false) == .plain(interval: 30))
    #expect(
      ProgressStyle.choose(isTerminal: true, width: 100, isQuiet: true, environment: [:]) == .quiet)
  }
}
