import Coordinator
import Protocol
import Runtime
import Testing

@Suite struct ProgressTests {
  @Test("a rewritten line shows epoch, step, loss, best, speed and the time left, least to most")
  func rewriting() {
    var view = ProgressView.of(.rewriting(width: 200), patience: 1)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    view.finish(0, value: 0.5, at: 3)
    _ = view.handle(.epochStarted(epoch: 1, workers: 2), at: 3)
    // 1.5 epochs in 4 s; the patience ends after epoch 2, and there are 10.
    #expect(
      view.handle(.progress(.train, epoch: 1, done: 29, total: 58), at: 4) == [
        .status(
          "epoch 1  step 29/58  loss .4123  best .5000 (1 ago)  50.0k examples/s  left 4s-23s")
      ])
    #expect(
      view.handle(.progress(.rank, epoch: 1, done: 1, total: 4), at: 4) == [
        .status("epoch 1  ranking 1/4  loss .4123  best .5000 (1 ago)  left 2s-16s")
      ])
  }

  @Test("the rest of an epoch is as fast as it is, not as if all of it had been trained here")
  func restOfAnEpoch() {
    var view = ProgressView.of(.rewriting(width: 200), patience: 1)
    // Half of epoch 4 was trained before; a quarter takes 2 s.
    _ = view.handle(.epochStarted(epoch: 4, workers: 2, share: 0.5), at: 10)
    guard
      case .status(let line)? = view.handle(
        .progress(.train, epoch: 4, done: 75, total: 100), at: 12
      ).first
    else {
      Issue.record("no line")
      return
    }
    #expect(line.contains("12.5k examples/s"), "\(line)")
    // 5.25 of 10 epochs are left, each in 8 s.
    #expect(line.hasSuffix("-42s"), "\(line)")
    // After a rollback the same steps are trained again.
    _ = view.handle(.epochStarted(epoch: 4, workers: 2, share: 0.5), at: 20)
    let again = view.handle(.progress(.train, epoch: 4, done: 75, total: 100), at: 22)
    guard case .status(let line)? = again.first else {
      Issue.record("no line")
      return
    }
    #expect(line.contains("12.5k examples/s"), "\(line)")
  }

  @Test("an epoch has one line, with its evaluation and with how long ago the best one was")
  func epochs() {
    var view = ProgressView.of(.plain(interval: 30), patience: 1)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    #expect(
      view.finish(0, value: 0.5, at: 3) == [
        .line("epoch 0  loss .4123  recall@20 .5000  best .5000 (new)     50k/s   left 6s-27s")
      ])
    _ = view.handle(.epochStarted(epoch: 1, workers: 2), at: 3)
    #expect(
      view.finish(1, value: 0.25, best: (0, 0.5), misses: 1, at: 6) == [
        .line("epoch 1  loss .4123  recall@20 .2500  best .5000 (1 ago)   50k/s   left 3s-24s")
      ])
    _ = view.handle(.epochStarted(epoch: 2, workers: 2), at: 6)
    #expect(
      view.finish(2, value: 0.25, best: (0, 0.5), misses: 2, at: 9) == [
        .line("epoch 2  loss .4123  recall@20 .2500  best .5000 (2 ago)   50k/s   left 0s")
      ])
  }

  @Test("an epoch without an evaluation says when the next one is")
  func rareEvaluations() {
    var view = ProgressView.of(.plain(interval: 30), interval: 3)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    #expect(view.handle(.finished(0), at: 2).isEmpty)
    #expect(
      view.handle(.epochStarted(epoch: 1, workers: 2), at: 2) == [
        .line("epoch 0  loss .4123  evaluation in 2  50.0k examples/s  left 18s")
      ])
    _ = view.handle(.finished(1), at: 4)
    #expect(view.handle(.epochStarted(epoch: 2, workers: 2), at: 4).count == 1)
    guard case .line(let line)? = view.finish(2, value: 0.5, at: 6).first else {
      Issue.record("no line")
      return
    }
    #expect(line.hasPrefix("epoch 2  loss .4123  recall@20 .5000  best .5000 (new)"), "\(line)")
  }

  @Test("a stop shows the epoch whose evaluation did not take place; its reason is said elsewhere")
  func stopped() {
    var view = ProgressView.of(.plain(interval: 30))
    _ = view.handle(.epochStarted(epoch: 4, workers: 2), at: 0)
    _ = view.handle(.finished(4), at: 2)
    let outcome = RunOutcome(
      ending: .interrupted(reason: "Ctrl-C"), epochsFinished: 5, best: nil)
    let lines = view.handle(.stopping(outcome), at: 3)
    #expect(
      lines == [.line("epoch 4  loss .4123  50.0k examples/s  left 15s")], "\(lines)")
  }

  @Test("a resumed run has its best epoch and its patience from before")
  func resumed() {
    var selection = ModelSelection(rule: SelectionRule(metric: "valid.recall@20", patience: 2))
    for (epoch, value) in [0.1, 0.5, 0.4].enumerated() {
      _ = selection.consider(value, epoch: UInt32(epoch), version: 1)
    }
    var view = ProgressView.of(.rewriting(width: 200), patience: 2, selection: selection)
    _ = view.handle(.epochStarted(epoch: 3, workers: 2), at: 100)
    // One miss is left after this epoch: at least 1.5 epochs of 2 s.
    #expect(
      view.handle(.progress(.train, epoch: 3, done: 1, total: 2), at: 101) == [
        .status("epoch 3  step 1/2  best .5000 (2 ago)  50.0k examples/s  left 3s-13s")
      ])
  }

  @Test("the first lines say how epochs are counted and when the run may end early")
  func firstLines() {
    let formed = RunEvent.clusterFormed(workers: 2, servers: 1, seconds: 3)
    var view = ProgressView.of(.plain(interval: 30), epochs: 1000, patience: 20)
    #expect(
      view.handle(formed, at: 0) == [
        .line("2 workers and 1 server are ready after 3s"),
        .line("epochs 0 to 999; ends early if valid recall@20 is not better 21 times in a row"),
      ])
    view = .of(.plain(interval: 30), epochs: 21, patience: 20)
    #expect(view.handle(formed, at: 0).last == .line("epochs 0 to 20"))
    view = .of(.plain(interval: 30), epochs: 1, patience: 20)
    #expect(view.handle(formed, at: 0).last == .line("epoch 0 only"))
  }

  @Test("a lost worker is shown until another one takes its place")
  func missingWorker() {
    var view = ProgressView.of(.rewriting(width: 100))
    _ = view.handle(.clusterFormed(workers: 2, servers: 1, seconds: 3), at: 0)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    func status() -> String {
      let output = view.handle(.progress(.train, epoch: 0, done: 1, total: 4), at: 1)
      guard case .status(let text)? = output.first else { return "" }
      return text
    }
    #expect(!status().contains("workers"))
    _ = view.handle(.nodeLost(role: .worker, rank: 1, host: "b", how: "it left"), at: 1)
    #expect(status().contains("1 of 2 workers"))
    #expect(
      view.handle(.nodeJoined(role: .worker, rank: 1, host: "b"), at: 2) == [
        .line("worker 1 joined on b")
      ])
    #expect(!status().contains("workers"))
  }

  @Test("verbose adds the terms of the loss, the staleness and the other metrics below the line")
  func verbose() {
    var view = ProgressView.of(.plain(interval: 30), detail: .verbose)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    let values = [
      "loss.total": 0.5, "loss.bpr": 0.4, "staleness.0": 3, "staleness.2": 1,
      "staleness.total": 2, "staleness.mean": 0.5, "staleness.max": 2,
    ]
    let summary = EpochSummary(epoch: 0, version: 8, values: values, seconds: 2)
    _ = view.handle(.epochFinished(summary), at: 2)
    let lines = view.evaluate(
      0, value: 0.5, others: ["test.ndcg@20": 0.25, "test.map@20": 0.1], at: 3)
    #expect(
      lines.dropFirst() == [
        .line("    bpr .4000; staleness 0.5000 (at most 2); trained in 2.00s"),
        .line("    test ndcg@20 .2500, evaluated in 1.00s"),
      ])
    #expect(lines.count == 3)
    let saved = RunEvent.bestSaved(epoch: 0, seconds: 1)
    #expect(view.handle(saved, at: 4) == [.line("    model of epoch 0 saved in 1.00s")])
    var normal = ProgressView.of(.plain(interval: 30))
    #expect(normal.handle(saved, at: 4).isEmpty)
  }

  @Test("one of many runs shows where it is with its best so far, and no line per epoch")
  func brief() {
    var view = ProgressView.of(.plain(interval: 30), detail: .brief)
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    #expect(view.finish(0, value: 0.5, at: 2).isEmpty)
    #expect(view.handle(.epochStarted(epoch: 1, workers: 2), at: 2).isEmpty)
    let progress = RunEvent.progress(.train, epoch: 1, done: 1, total: 2)
    #expect(view.handle(progress, at: 29).isEmpty)
    let lines = view.handle(progress, at: 31)
    guard lines.count == 1, case .line(let text) = lines[0] else {
      Issue.record("\(lines)")
      return
    }
    #expect(text.contains("epoch 1") && text.contains("best .5000"), "\(text)")
    #expect(view.handle(progress, at: 60).isEmpty)
  }

  @Test("elsewhere there is one line per epoch and one every 30 seconds")
  func plain() {
    var view = ProgressView.of(.plain(interval: 30))
    var lines = 0
    _ = view.handle(.epochStarted(epoch: 0, workers: 2), at: 0)
    for second in 1...100 {
      lines +=
        view.handle(
          .progress(.train, epoch: 0, done: UInt64(second), total: 200), at: Double(second)
        ).count
    }
    #expect(lines == 3)
    #expect(view.finish(0, value: 0.5, at: 101).count == 1)
  }

  @Test("quiet shows warnings only")
  func quiet() {
    var view = ProgressView.of(.quiet)
    #expect(view.finish(0, value: 0.5, at: 1).isEmpty)
    #expect(view.handle(.progress(.train, epoch: 0, done: 1, total: 2), at: 99).isEmpty)
    let done = RunOutcome(ending: .completed, epochsFinished: 1, best: nil)
    #expect(view.handle(.stopping(done), at: 100).isEmpty)
    let lost = RunEvent.nodeLost(role: .worker, rank: 1, host: "b", how: "it left")
    #expect(view.handle(lost, at: 100) == [.line("warning: worker 1 on b is lost: it left")])
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
