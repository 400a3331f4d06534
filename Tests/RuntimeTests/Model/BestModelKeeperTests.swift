import Foundation
import Models
import Runtime
import Synchronization
import TestSupport
import Testing

@Suite("Writing the best model on a queue of its own")
struct BestModelKeeperTests {
  /// A keeper, and what it has reported.
  private final class Kept {
    let keeper: BestModelKeeper
    private let reports: Reports

    final class Reports: Sendable {
      let all = Mutex<[BestModelKeeper.Report]>([])
    }

    init(_ tiny: TinyModel) {
      let reports = Reports()
      self.reports = reports
      keeper = BestModelKeeper(run: tiny.run, model: tiny.setup.model) { report in
        reports.all.withLock { $0.append(report) }
      }
    }

    /// The next report; nil if there is none within some seconds.
    func next(within seconds: Double = 60) -> BestModelKeeper.Report? {
      let deadline = Date().addingTimeInterval(seconds)
      while true {
        let report = reports.all.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if report != nil || Date() > deadline { return report }
        Thread.sleep(forTimeInterval: 0.005)
      }
    }

    /// The next report other than that of a completed file.
    func last() throws -> BestModelKeeper.Report {
      while true {
        let report = try #require(next())
        if case .moved = keeper.take(report) { continue }
        return report
      }
    }

    func begin(epoch: UInt32) throws -> BestModelWriter {
      keeper.begin(.init(epoch: epoch, version: 7, generation: 1))
      let report = try #require(next())
      guard case .begun(let wanted, let writer) = keeper.take(report), wanted.epoch == epoch
      else { throw FuzzFailure("the files of epoch \(epoch) are not made") }
      return writer
    }
  }

  @Test(
    "a stalled disk blocks no caller; its error is reported in the end",
    .enabled(if: StalledDisk.isPossible, "needs Linux and root"))
  func stalls() throws {
    let tiny = try TinyModel()
    let disk = try StalledDisk(run: tiny.run)
    let kept = Kept(tiny)
    let writer = try kept.begin(epoch: 2)
    try tiny.fill(writer)
    // On this thread it would block.
    kept.keeper.finish(writer)
    for file in BestModelWriterTests.files {
      let report = try #require(kept.next())
      guard case .moved = kept.keeper.take(report) else {
        Issue.record("no report of \(file)")
        return
      }
    }
    #expect(kept.next(within: 0.3).map { _ in "a report" } == nil)
    #expect(try tiny.names("models/epoch-0002") == BestModelWriterTests.files)
    #expect(disk.isAwaited)
    disk.refuse()
    let report = try #require(kept.next())
    guard case .failed(let message, _) = kept.keeper.take(report) else {
      Issue.record("it was not refused")
      return
    }
    #expect(message.contains("\(tiny.run)/best.json"))
  }

  @Test("a dropped save is not reported; the next one waits for it, and its model stays")
  func dropped() throws {
    let tiny = try TinyModel()
    let kept = Kept(tiny)
    let first = try kept.begin(epoch: 2)
    try tiny.fill(first, with: 1)
    kept.keeper.finish(first)
    kept.keeper.drop()
    // Of the same epoch, as after a recovery.
    kept.keeper.begin(.init(epoch: 2, version: 7, generation: 2))
    for _ in BestModelWriterTests.files + ["it is saved"] {
      let old = try #require(kept.next())
      #expect(kept.keeper.take(old).map { _ in "news" } == nil)
    }
    let report = try #require(kept.next())
    guard case .begun(_, let second) = kept.keeper.take(report) else {
      Issue.record("the files are not made")
      return
    }
    // The first one was finished before.
    #expect(try BestModel.read(run: tiny.run).vector(.user, row: 0, run: tiny.run)?.first == 1)
    try tiny.fill(second, with: 2)
    kept.keeper.finish(second)
    let saved = try kept.last()
    guard case .saved = kept.keeper.take(saved) else {
      Issue.record("the second one is not saved")
      return
    }
    #expect(try BestModel.read(run: tiny.run).vector(.user, row: 0, run: tiny.run)?.first == 2)
    // The first model kept its folder until the second one was the best.
    #expect(try tiny.names("models") == ["epoch-0002-again"])
    #expect(try tiny.names("models/epoch-0002-again") == BestModelWriterTests.files)
  }

  @Test("files of a dropped writer are removed, and those of the next stay")
  func unwanted() throws {
    let tiny = try TinyModel()
    let kept = Kept(tiny)
    var first: BestModelWriter? = try kept.begin(epoch: 2)
    kept.keeper.drop()
    let second = try kept.begin(epoch: 2)
    #expect(first != nil)
    first = nil
    try tiny.fill(second)
    kept.keeper.finish(second)
    let report = try kept.last()
    guard case .saved = kept.keeper.take(report) else {
      Issue.record("it is not saved")
      return
    }
    #expect(try tiny.names("models/epoch-0002") == BestModelWriterTests.files)
  }
}
