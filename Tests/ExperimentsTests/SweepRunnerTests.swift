import Configuration
import Experiments
import Foundation
import Runtime
import TestSupport
import Testing

@Suite struct SweepRunnerTests {
  private static let grid = """
    reg_weight: [0.1, 0.01]
    seed: [1, 2]
    hyper_parameters: [reg_weight, seed]
    """

  @Test("every point is trained in a folder of its own, in the order of the grid")
  func allPoints() throws {
    let tiny = try TinySweep()
    let execution = WatchedExecution()
    let lines = Lines()
    let runs = try tiny.runner(execution, lines: lines).run(tiny.points(Self.grid))
    #expect(execution.runs == ["1/0.1", "2/0.1", "1/0.01", "2/0.01"])
    #expect(runs.map(\.state) == Array(repeating: .finished, count: 4))
    #expect(runs.map(\.name)[2] == "reg_weight=0.01 seed=1")
    #expect(Set(runs.map(\.folder)).count == 4)
    for run in runs {
      #expect(run.folder == "runs/\(run.identity.configurationDigest)")
      let result = try #require(run.result)
      #expect(try result == RunResult(run: "\(tiny.sweep.path)/\(run.folder)"))
      #expect(result.valid["recall@20"] ?? 0 > 0)
    }
    #expect(lines.all.count == 4)
    #expect(lines.all[0].hasPrefix("[1/4] reg_weight=0.1 seed=1  valid recall@20 0."))
    #expect(lines.all[0].contains("left") && !lines.all[3].contains("left"))
    let table = try tiny.folder.text("sweep/sweep.csv").split(separator: "\n")
    #expect(table.count == 5)
    #expect(
      table[0].hasPrefix("reg_weight,seed,state,best_epoch,epochs_run,seconds,valid.recall@5"))
  }

  @Test("a stopped sweep resumes, and trains its unfinished run from scratch")
  func resume() throws {
    let tiny = try TinySweep()
    let signal = ManualSignal()
    // Ctrl-C during the third run.
    let first = WatchedExecution { _, index in
      if index == 2 { signal.raise(2) }
      return nil
    }
    let runner = try tiny.runner(first, signals: signal)
    let stopped = try runner.run(tiny.points(Self.grid))
    #expect(runner.stopSignal == 2)
    #expect(stopped.map(\.state) == [.finished, .finished, .interrupted, .waiting])
    let stored = try SweepStore(path: tiny.sweep.storePath).runs()
    #expect(stored.map(\.state) == [.finished, .finished, .interrupted, .waiting])
    #expect(try SweepReport(stopped).unfinishedCount == 2)
    let rubbish = "\(tiny.sweep.path)/\(stopped[2].folder)/rubbish"
    try Data().write(to: URL(fileURLWithPath: rubbish))

    let second = WatchedExecution()
    let lines = Lines()
    let runs = try tiny.runner(second, lines: lines).run(tiny.points(Self.grid))
    #expect(second.runs == ["1/0.01", "2/0.01"])
    #expect(runs.map(\.state) == Array(repeating: .finished, count: 4))
    #expect(runs[..<2] == stopped[..<2])
    #expect(lines.all.first?.hasPrefix("[3/4] ") == true)
    #expect(!FileManager.default.fileExists(atPath: rubbish))
    // The result is that of an uninterrupted sweep.
    let whole = try TinySweep()
    let once = try whole.runner().run(whole.points(Self.grid))
    #expect(once.map(\.result?.test) == runs.map(\.result?.test))
  }

  @Test("terms between modalities that do nothing with one modality are named once")
  func oneModality() throws {
    let grid =
      "objective: [plain, mrdib]\nalpha2: 0.05\nseed: [1, 2]\nhyper_parameters: [objective, seed]\n"
    let tiny = try TinySweep()
    let lines = Lines()
    let execution = WatchedExecution { _, _ in
      RoleOutcome(exitCode: .failure, message: "not trained")
    }
    _ = try tiny.runner(execution, lines: lines).run(
      tiny.points(grid + "modalities: ['text:text_feat.npy']"))
    #expect(lines.all.filter { $0.contains("no effect with one modality (text)") }.count == 1)
    let both = Lines()
    _ = try tiny.runner(execution, lines: both).run(tiny.points(grid))
    #expect(!both.all.contains { $0.contains("no effect") })
  }

  @Test("a run that was killed with the program is trained again")
  func killed() throws {
    let tiny = try TinySweep()
    let points = try tiny.points("seed: [1]\nhyper_parameters: [seed]")
    let finished = try tiny.runner().run(points)
    var killed = try #require(finished.first)
    killed.state = .running
    killed.result = nil
    try SweepStore(path: tiny.sweep.storePath).record(killed)
    let again = WatchedExecution()
    let runs = try tiny.runner(again).run(points)
    #expect(again.runs.count == 1)
    #expect(runs.map(\.result?.test) == finished.map(\.result?.test))
  }

  @Test("a failed run is recorded, the others continue, and the next sweep retries it")
  func failure() throws {
    let tiny = try TinySweep()
    let failing = WatchedExecution { _, index in
      switch index {
      case 1: RoleOutcome(exitCode: .software, message: "loss bpr is nan")
      case 2: throw RuntimeError(exitCode: .inputOutput, message: "the disk is full")
      default: nil
      }
    }
    let runs = try tiny.runner(failing).run(tiny.points(Self.grid))
    #expect(runs.map(\.state) == [.finished, .failed, .failed, .finished])
    #expect(runs[1].message == "loss bpr is nan")
    #expect(try SweepStore(path: tiny.sweep.storePath).runs()[2].message == "the disk is full")
    let report = try SweepReport(runs)
    #expect(report.failures.map(\.message) == ["loss bpr is nan", "the disk is full"])
    #expect(report.chosenByValidation == nil)
    let second = WatchedExecution()
    _ = try tiny.runner(second).run(tiny.points(Self.grid))
    #expect(second.runs == ["2/0.1", "1/0.01"])
  }

  @Test("with other data the same settings are other runs")
  func otherData() throws {
    let tiny = try TinySweep()
    let points = try tiny.points("seed: [1]\nhyper_parameters: [seed]")
    let first = try tiny.runner().run(points)
    let inter = "\(tiny.data)/synthetic.inter"
    var lines = try String(contentsOfFile: inter, encoding: .utf8).split(separator: "\n")
    let last = try #require(lines.indices.last { lines[$0].hasSuffix("\t0") })
    lines[last] = "\(lines[last].dropLast())2"
    try lines.joined(separator: "\n").write(toFile: inter, atomically: true, encoding: .utf8)
    let second = try tiny.runner().run(points)
    #expect(first[0].identity.dataDigest != second[0].identity.dataDigest)
    #expect(first[0].folder != second[0].folder)
    #expect(try SweepStore(path: tiny.sweep.storePath).runs().count == 2)
  }

  @Test("points with the same configuration are one run, which all of them show")
  func sameRun() throws {
    let tiny = try TinySweep()
    let execution = WatchedExecution()
    let lines = Lines()
    let runs = try tiny.runner(execution, lines: lines).run(
      tiny.points("objective: plain\nalpha1: [0.1, 0.2]\nhyper_parameters: [alpha1]"))
    #expect(execution.runs.count == 1)
    #expect(runs.map(\.name) == ["alpha1=0.1", "alpha1=0.2"])
    #expect(runs[0].result == runs[1].result)
    #expect(
      lines.all.first?.hasPrefix("1 of 2 points have the same configuration as another") == true)
  }

  @Test("a mistake in the last point is found before the first run")
  func mistakes() throws {
    let tiny = try TinySweep()
    let execution = WatchedExecution()
    let points = try tiny.points(
      "heartbeat_interval_ms: [500, 9000]\nhyper_parameters: [heartbeat_interval_ms]")
    #expect {
      try tiny.runner(execution).run(points)
    } throws: { "\($0)".contains("heartbeat_interval_ms (9000, from grid.yaml:7:30)") }
    #expect(execution.runs.isEmpty)
  }

  @Test("parallel runs have the results of sequential runs")
  func jobs() throws {
    let tiny = try TinySweep()
    let alone = try tiny.runner().run(tiny.points(Self.grid))
    let other = try TinySweep()
    let together = try other.runner(jobs: 3).run(other.points(Self.grid))
    #expect(together.map(\.name) == alone.map(\.name))
    #expect(together.map(\.result?.test) == alone.map(\.result?.test))
  }

  @Test("a folder with a single run is refused for a sweep")
  func singleRunFolder() throws {
    let tiny = try TinySweep()
    let runs = try tiny.runner().run(tiny.points(""))
    #expect {
      try SweepFolder.create(at: "\(tiny.sweep.path)/\(runs[0].folder)", forgetting: false)
    } throws: { "\($0)".contains("holds a single run") && "\($0)".contains("--run") }
  }

  @Test("a second sweep in the folder of a running one is refused and changes nothing")
  func locked() throws {
    let tiny = try TinySweep()
    let (folder, lock) = try SweepFolder.open(at: tiny.sweep.path, forgetting: false)
    let points = try tiny.points("")
    _ = try tiny.runner().run(points)
    #expect {
      _ = try SweepFolder.open(at: folder.path, forgetting: true)
    } throws: { error in
      ExitCode(describing: error) == .cannotCreate && "\(error)".contains("is using the folder")
    }
    lock.release()
    let recorded = try SweepStore(path: folder.storePath)
    #expect(try recorded.runs().map(\.state) == [.finished])
    try recorded.close()
    let (_, again) = try SweepFolder.open(at: folder.path, forgetting: true)
    again.release()
    #expect(!FileManager.default.fileExists(atPath: folder.storePath))
  }

  @Test("a sweep that replaces an earlier one trains all runs again")
  func forgetting() throws {
    let tiny = try TinySweep()
    let points = try tiny.points("")
    _ = try tiny.runner().run(points)
    _ = try SweepFolder.create(at: tiny.sweep.path, forgetting: true)
    let again = WatchedExecution()
    _ = try tiny.runner(again).run(points)
    #expect(again.runs.count == 1)
  }
}
