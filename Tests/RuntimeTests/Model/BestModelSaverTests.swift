import Dispatch
import Foundation
import Nodes
import Recommenders
import Runtime
import Synchronization
import TestSupport
import Testing

@Suite("Writing the best model on a queue of its own")
struct BestModelSaverTests {
  private typealias Report = (event: BestModelEvent<BestModelWriter>, saving: UInt64)

  /// A saver, and what it has reported.
  private final class Kept {
    let saver: BestModelSaver
    private let reports: Reports
    private var savingCount: UInt64 = 0

    final class Reports: Sendable {
      let all = Mutex<[Report]>([])
    }

    init(_ tiny: TinyModel) {
      let reports = Reports()
      self.reports = reports
      saver = BestModelSaver(run: tiny.run, model: tiny.setup.model) { event, saving in
        reports.all.withLock { $0.append((event, saving)) }
      }
    }

    /// The next report; nil if there is none within some seconds.
    func next(within seconds: Double = 60) -> Report? {
      let deadline = Date().addingTimeInterval(seconds)
      while true {
        let report = reports.all.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if report != nil || Date() > deadline { return report }
        Thread.sleep(forTimeInterval: 0.005)
      }
    }

    /// The next report other than that of a completed file.
    func last() throws -> Report {
      while true {
        let report = try #require(next())
        if case .moved = report.event { continue }
        return report
      }
    }

    /// Asks for the files of a model.
    func request(epoch: UInt32) -> BestModelRequest {
      savingCount += 1
      let request = BestModelRequest(
        number: savingCount, epoch: epoch, version: 7, generation: 1)
      saver.begin(request)
      return request
    }

    func begin(epoch: UInt32) throws -> (request: BestModelRequest, writer: BestModelWriter) {
      let request = request(epoch: epoch)
      let report = try #require(next())
      guard case .begun(let writer) = report.event, report.saving == request.number
      else { throw FuzzFailure("the files of epoch \(epoch) are not made") }
      return (request, writer)
    }
  }

  @Test(
    "a stalled disk blocks no caller; its error is reported in the end",
    .enabled(if: StalledDisk.isPossible, "needs Linux and root"))
  func stalls() throws {
    let tiny = try TinyModel()
    let disk = try StalledDisk(run: tiny.run)
    let kept = Kept(tiny)
    let (request, writer) = try kept.begin(epoch: 2)
    try tiny.fill(writer)
    // On this thread it would block.
    kept.saver.finish(writer, of: request)
    for file in BestModelWriterTests.files {
      let report = try #require(kept.next())
      guard case .moved = report.event else {
        Issue.record("no report of \(file)")
        return
      }
    }
    #expect(kept.next(within: 0.3).map { _ in "a report" } == nil)
    #expect(try tiny.names("models/epoch-0002") == BestModelWriterTests.files)
    #expect(disk.isAwaited)
    disk.refuse()
    let report = try #require(kept.next())
    guard case .failed(let message, _) = report.event else {
      Issue.record("it was not refused")
      return
    }
    #expect(message.contains("\(tiny.run)/best.json"))
  }

  @Test("reports name their save; a dropped save is finished before the next begins")
  func dropped() throws {
    let tiny = try TinyModel()
    let kept = Kept(tiny)
    let (former, first) = try kept.begin(epoch: 2)
    try tiny.fill(first, with: 1)
    kept.saver.finish(first, of: former)
    // Of the same epoch, as after a recovery.
    let request = kept.request(epoch: 2)
    for _ in BestModelWriterTests.files + ["it is saved"] {
      #expect(try #require(kept.next()).saving == former.number)
    }
    let report = try #require(kept.next())
    #expect(report.saving == request.number)
    guard case .begun(let second) = report.event else {
      Issue.record("the files are not made")
      return
    }
    // The first one was finished before.
    #expect(try BestModel.read(run: tiny.run).vector(.user, row: 0, run: tiny.run)?.first == 1)
    try tiny.fill(second, with: 2)
    kept.saver.finish(second, of: request)
    guard case .saved = try kept.last().event else {
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
    var first: BestModelWriter? = try kept.begin(epoch: 2).writer
    let (request, second) = try kept.begin(epoch: 2)
    #expect(first != nil)
    first = nil
    try tiny.fill(second)
    kept.saver.finish(second, of: request)
    guard case .saved = try kept.last().event else {
      Issue.record("it is not saved")
      return
    }
    #expect(try tiny.names("models/epoch-0002") == BestModelWriterTests.files)
  }

  @Test("a run directory that is moved just before the files are made does not appear again")
  func moved() throws {
    struct Moved: Error {}
    let tiny = try TinyModel()
    let run = tiny.run
    let checks = Mutex(0)
    let reports = Kept.Reports()
    let reported = DispatchSemaphore(value: 0)
    let saver = BestModelSaver(
      run: run, model: tiny.setup.model,
      checkPlace: {
        let count = checks.withLock { count in
          count += 1
          return count
        }
        // The first check finds the directory in its place; it is moved right after that.
        guard count == 1 else { throw Moved() }
        try FileManager.default.moveItem(atPath: run, toPath: "\(run)-elsewhere")
      },
      report: { event, saving in
        reports.all.withLock { $0.append((event, saving)) }
        reported.signal()
      })
    saver.begin(BestModelRequest(number: 1, epoch: 2, version: 7, generation: 1))
    #expect(reported.wait(timeout: .now() + 60) == .success)
    guard case .failed(let message, _) = reports.all.withLock({ $0.first?.event }) else {
      Issue.record("the files were made")
      return
    }
    #expect(message.contains("Moved"))
    #expect(!FileManager.default.fileExists(atPath: run))
  }
}
