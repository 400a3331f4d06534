import Coordinator
import Runtime
import Testing

/// What is shown while a run waits for nodes, and the sentences of warnings.
@Suite struct WaitingLineTests {
  private static let what = "1 worker (2 of 3 here)"

  @Test("on a terminal the seconds count down on the line that is rewritten")
  func countdown() {
    var view = ProgressView.of(.rewriting(width: 80))
    func outputs(_ left: Double, at now: Double) -> [ProgressView.Output] {
      view.showWait(for: Self.what, secondsLeft: left, at: now)
    }
    #expect(
      outputs(95.2, at: 5) == [.status("waiting for 1 worker (2 of 3 here), 95 s left")])
    #expect(outputs(95.1, at: 5.1).isEmpty, "the same line is not written again")
    #expect(outputs(94.2, at: 6) == [.status("waiting for 1 worker (2 of 3 here), 94 s left")])
    // While others make progress, that is shown.
    _ = view.handle(.progress(.train, epoch: 0, done: 1, total: 2), at: 7)
    #expect(outputs(92, at: 8).isEmpty)
    #expect(outputs(90, at: 10).count == 1)
  }

  @Test("the seconds are not cut off in a narrow terminal")
  func widths() {
    for width in 20...200 {
      var view = ProgressView.of(.rewriting(width: width))
      guard
        case .status(let line)? = view.showWait(
          for: "2 servers (0 of 2 here) and 1 worker (2 of 3 here)", secondsLeft: 95, at: 1
        ).first
      else {
        Issue.record("no status")
        return
      }
      #expect(line.count < width && line.contains("2 servers"), "\(width): \(line)")
      #expect(line.contains(", 95 s"), "\(width): \(line)")
    }
  }

  @Test("elsewhere a wait is a line, and on a terminal it is not said twice")
  func notices() {
    let event = RunEvent.waiting(for: Self.what, seconds: 10, limit: 120)
    let line = ProgressView.Output.line(
      "warning: waiting for 1 worker (2 of 3 here), 110 s left")
    for style in [ProgressStyle.plain(interval: 30), .quiet] {
      var view = ProgressView.of(style)
      #expect(view.handle(event, at: 10) == [line])
      #expect(view.showWait(for: Self.what, secondsLeft: 95, at: 10).isEmpty)
    }
    var terminal = ProgressView.of(.rewriting(width: 80))
    #expect(terminal.handle(event, at: 10).isEmpty)
    // The end of this one is not known.
    let work = RunEvent.waiting(for: "the training of epoch 0", seconds: 60, limit: nil)
    #expect(terminal.handle(work, at: 60).count == 1)
  }

  @Test("a worker with other kernels than earlier ones causes a warning, also in quiet style")
  func otherKernels() {
    for style in [ProgressStyle.plain(interval: 30), .quiet] {
      var view = ProgressView.of(style)
      let event = RunEvent.otherKernels(host: "b", name: "Zen\u{1B}[2J", before: ["SkylakeX"])
      guard case .line(let line)? = view.handle(event, at: 0).first else {
        Issue.record("no line")
        continue
      }
      #expect(line.hasPrefix("warning: the worker on b uses OpenBLAS's Zen?[2J kernels, "))
      #expect(line.contains("others in this run used SkylakeX"))
    }
  }

  @Test("overdue checkpoints cause a warning that names the disk")
  func overdue() {
    var view = ProgressView.of(.quiet)
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
}
