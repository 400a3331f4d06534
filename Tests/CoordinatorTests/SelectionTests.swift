import Coordinator
import Testing

@Suite struct SelectionTests {
  private func verdicts(
    _ values: [Double], patience: UInt32 = 2, rounding: SelectionRule.Rounding = .none
  ) -> [ModelSelection.Verdict] {
    var selection = ModelSelection(
      rule: SelectionRule(metric: "valid.recall@20", patience: patience, rounding: rounding))
    return values.enumerated().map {
      selection.consider($1, epoch: UInt32($0), version: UInt64($0))
    }
  }

  @Test("patience 2 stops at the third evaluation in a row without improvement")
  func patience() {
    #expect(
      verdicts([0.1, 0.1, 0.05, 0.2, 0.2, 0.19, 0.2]) == [
        .improved, .notImproved, .notImproved, .improved, .notImproved, .notImproved, .exhausted,
      ])
  }

  @Test("patience 0 stops at the first evaluation without improvement")
  func noPatience() {
    #expect(verdicts([0.1, 0.1], patience: 0) == [.improved, .exhausted])
  }

  @Test("the first evaluation improves whatever its value; NaN never does")
  func firstValue() {
    #expect(verdicts([0]) == [.improved])
    #expect(verdicts([.nan, 0.1, .nan]) == [.notImproved, .improved, .notImproved])
  }

  @Test(
    "unrounded, the smallest increase counts; rounded as MMRec does, a fourth decimal must move")
  func rounding() {
    let values = [0.08121, 0.08124, 0.08126]
    #expect(verdicts(values) == [.improved, .improved, .improved])
    #expect(
      verdicts(values, rounding: .fourDecimals) == [.improved, .notImproved, .improved])
  }

  @Test(
    "rounding equals numpy.round(x, 4), also at ties",
    arguments: [
      (0.00005, 0.0), (0.00015, 0.0001), (0.00025, 0.0002), (0.00035, 0.0004), (0.12345, 0.1234),
      (0.12355, 0.1236), (0.99995, 1.0), (0.08125, 0.0812),
    ])
  func roundingValues(value: Double, expected: Double) {
    #expect(SelectionRule.Rounding.fourDecimals.apply(to: value) == expected)
  }

  @Test("the best evaluation keeps its unrounded value")
  func bestIsUnrounded() {
    var selection = ModelSelection(
      rule: SelectionRule(metric: "valid.recall@20", patience: 1, rounding: .fourDecimals))
    _ = selection.consider(0.0812345678, epoch: 4, version: 40)
    #expect(selection.best == .init(epoch: 4, version: 40, value: 0.0812345678))
  }

  @Test("a run stops early at exactly that evaluation, with the best epoch kept")
  func earlyStop() throws {
    var cluster = try ScriptedCluster(ScriptedCluster.plan(epochs: 100, patience: 2))
    var actions = cluster.form()
    for recall in [0.1, 0.3, 0.2, 0.3] {
      actions = cluster.epoch(actions, recall: recall)
      #expect(!cluster.state.isEnded)
    }
    actions = cluster.epoch(actions, recall: 0.25)
    #expect(actions.outcome?.ending == .earlyStopped)
    #expect(actions.outcome?.epochsFinished == 5)
    #expect(actions.outcome?.best?.epoch == 1)
    #expect(actions.records.last?.progress.nonImprovingCount == 3)
  }

  @Test("with MMRec's rounding a run stops where an unrounded one continues")
  func roundingDecides() throws {
    for (rounding, isEnded) in [(SelectionRule.Rounding.none, false), (.fourDecimals, true)] {
      var cluster = try ScriptedCluster(
        ScriptedCluster.plan(epochs: 100, patience: 0, rounding: rounding))
      let second = cluster.epoch(cluster.form(), recall: 0.08121)
      cluster.epoch(second, recall: 0.08124)
      #expect(cluster.state.isEnded == isEnded)
    }
  }
}
