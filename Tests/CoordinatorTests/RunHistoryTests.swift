import Coordinator
import Protocol
import Testing

@Suite struct RunHistoryTests {
  private static func history(
    isExact: Bool = true, evaluationInterval: UInt32 = 1, resuming point: ResumePoint? = nil
  ) throws -> RunHistory {
    var plan = ScriptedCluster.plan(evaluationInterval: evaluationInterval, patience: 1)
    plan.isExact = isExact
    return try RunHistory(plan: plan, resuming: point)
  }

  /// A run whose epochs 0 and 1 were evaluated with these values.
  private static func point(_ values: [Double], isBestSaved: Bool) -> ResumePoint {
    let evaluations = values.enumerated().map { index, value in
      EvaluationSummary(
        epoch: UInt32(index), version: 8 * UInt64(index + 1),
        metrics: ["valid.recall@20": value], users: [:], materializeSeconds: 0, rankSeconds: 0)
    }
    let progress = RunProgress(
      status: .running, generation: 3, epochsFinished: UInt32(values.count),
      version: 8 * UInt64(values.count), best: nil, isBestSaved: isBestSaved,
      nonImprovingCount: 0)
    return ResumePoint(progress: progress, evaluations: evaluations)
  }

  @Test("an epoch is measured once it is evaluated, or if no evaluation is due")
  func measured() throws {
    var history = try Self.history(evaluationInterval: 2)
    #expect(history.isMeasured(0, in: 1), "none is due")
    #expect(!history.isMeasured(1, in: 1))
    #expect(history.noteEvaluation(0.5, of: 1, version: 16, in: 1).verdict == .improved)
    #expect(history.isMeasured(1, in: 1))
    #expect(history.isMeasured(1, in: 2), "training again gives the same bits")
  }

  @Test("where training again gives other bits, an unsaved best epoch is measured per generation")
  func measuredAgain() throws {
    var history = try Self.history(isExact: false)
    _ = history.noteEvaluation(0.4, of: 0, version: 8, in: 1)
    #expect(history.isMeasured(0, in: 1) && !history.isMeasured(0, in: 2))
    history.noteBestSaved()
    #expect(history.isMeasured(0, in: 2))
  }

  @Test("an evaluation of the same epoch replaces the one before")
  func replaced() throws {
    var history = try Self.history(isExact: false)
    _ = history.noteEvaluation(0.4, of: 0, version: 8, in: 1)
    _ = history.noteEvaluation(0.5, of: 1, version: 16, in: 1)
    let again = history.noteEvaluation(0.3, of: 1, version: 16, in: 2)
    #expect(again.verdict == .notImproved && again.previous == 0.4)
    #expect(history.selection.best?.epoch == 0 && history.selection.nonImprovingCount == 1)
  }

  @Test("of a resumed run only the model of the last evaluation can be missing")
  func resumed() throws {
    let missing = try Self.history(resuming: Self.point([0.4, 0.5], isBestSaved: false))
    #expect(missing.isBestMissing(of: 1) && missing.savedBest?.epoch == 0)
    let saved = try Self.history(resuming: Self.point([0.4, 0.5], isBestSaved: true))
    #expect(!saved.isBestMissing(of: 1) && saved.savedBest?.epoch == 1)
    let worse = try Self.history(resuming: Self.point([0.5, 0.4], isBestSaved: false))
    #expect(!worse.isBestMissing(of: 1) && worse.savedBest?.epoch == 0)
  }

  @Test("a resumed run that only lacks the record of its end has ended")
  func ended() throws {
    let values = [0.5, 0.4, 0.3]
    let stopped = try Self.history(resuming: Self.point(values, isBestSaved: true))
    #expect(stopped.recordedEnding == .earlyStopped)
    let completed = try Self.history(resuming: Self.point([0.3, 0.4, 0.5], isBestSaved: true))
    #expect(completed.recordedEnding == .completed)
    let unsaved = try Self.history(resuming: Self.point([0.3, 0.4, 0.5], isBestSaved: false))
    #expect(unsaved.recordedEnding == nil)
  }
}
