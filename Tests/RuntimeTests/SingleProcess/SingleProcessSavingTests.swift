import Foundation
import Runtime
import Synchronization
import TestSupport
import Testing

@Suite("A run in one process saves its best model")
struct SingleProcessSavingTests {
  /// Signals, one after the other.
  private final class Signals: StopSignals {
    private let waiting = Mutex<[Int32]>([])

    func send(_ signal: Int32) { waiting.withLock { $0.append(signal) } }

    func next() -> Int32? { waiting.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
  }

  /// A run on a thread of its own.
  private final class Running: Sendable {
    let signals = Signals()
    private let outcome = Mutex<RoleOutcome?>(nil)

    init(_ tiny: TinyModel) {
      Thread.detachNewThread { [self, setup = tiny.setup, run = tiny.run] in
        let ending: RoleOutcome
        do {
          ending = try SingleProcessRole(
            setup: setup, directory: RunDirectory(existing: run), runID: "run", detail: .quiet
          ).run(signals: signals)
        } catch {
          ending = RoleOutcome(exitCode: .failure, message: "\(error)")
        }
        outcome.withLock { $0 = ending }
      }
    }

    /// How it ended; nil if it has not ended within some seconds.
    func end(within seconds: Double) -> RoleOutcome? {
      let deadline = Date().addingTimeInterval(seconds)
      while Date() < deadline {
        if let outcome = outcome.withLock({ $0 }) { return outcome }
        Thread.sleep(forTimeInterval: 0.01)
      }
      return nil
    }
  }

  private func wait(_ seconds: Double = 30, for condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      if try condition() { return }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw FuzzFailure("not within \(seconds) s")
  }

  private func bytes(_ tiny: TinyModel) throws -> [Data] {
    let folder = "\(tiny.run)/\(try BestModel.read(run: tiny.run).folder)"
    return try BestModelWriterTests.files.map {
      try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))
    }
  }

  @Test(
    "Ctrl-C while the disk stalls waits for the model, a second one ends the run, which can resume",
    .enabled(if: StalledDisk.isPossible, "needs Linux and root"))
  func stopped() throws {
    let tiny = try TinyModel(["epochs=3"])
    do {
      let disk = try StalledDisk(run: tiny.run)
      defer { disk.refuse() }
      let running = Running(tiny)
      try wait { (try? tiny.names("models/epoch-0000")) == BestModelWriterTests.files }
      try wait { disk.isAwaited }
      running.signals.send(2)
      #expect(running.end(within: 0.5) == nil)
      // The last checkpoint does not wait for the model.
      try wait {
        let checkpoints = (try? tiny.names("checkpoints")) ?? []
        return try checkpoints.contains { try tiny.names("checkpoints/\($0)").count == 2 }
      }
      running.signals.send(2)
      #expect(running.end(within: 60)?.exitCode == .signal(2))
    }
    #expect(!FileManager.default.fileExists(atPath: "\(tiny.run)/best.json"))
    let continued = Running(tiny)
    #expect(continued.end(within: 60)?.exitCode == .success)
    let undisturbed = try TinyModel(["epochs=3"])
    #expect(Running(undisturbed).end(within: 60)?.exitCode == .success)
    #expect(try bytes(tiny) == bytes(undisturbed))
  }

  @Test("a model that cannot be written ends the run with its file's name")
  func fails() throws {
    let tiny = try TinyModel(["epochs=3"])
    try tiny.folder.make("run/models/epoch-0000/user.npy/file")
    let outcome = Running(tiny).end(within: 60)
    #expect(outcome?.exitCode == .inputOutput)
    #expect(outcome?.message.contains("user.npy") == true, "\(outcome?.message ?? "")")
  }
}
