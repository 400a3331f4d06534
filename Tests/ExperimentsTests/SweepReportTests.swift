import Experiments
import Testing

@Suite struct SweepReportTests {
  @Test("settings are chosen by the mean over seeds on validation; a group with a failure is not")
  func validation() throws {
    let report = try SweepReport(MadeUp.sweep)
    #expect(report.chosenByValidation?.coordinates == [Coordinate(name: "alpha1", value: "0.05")])
    #expect(report.chosenByValidation?.valid?.mean == 0.32)
    #expect(report.rows.map(\.isComplete) == [true, true, false])
    #expect(report.rows[2].seeds == [2])
  }

  @Test("MMRec's rule takes the best single run on test, whatever validation says")
  func testSelected() throws {
    let report = try SweepReport(MadeUp.sweep)
    #expect(report.chosenByTest?.coordinates.map(\.value) == ["0.1", "1"])
    #expect(report.chosenByTest?.test["recall@20"] == 0.5)
  }

  @Test("MMRec's rule rounds to four decimals and keeps the first of equals; mrdib's does not")
  func rounding() throws {
    let report = try SweepReport([
      MadeUp.run(alpha: "0.1", seed: 1, valid: 0.30001, test: 0.50001),
      MadeUp.run(alpha: "0.2", seed: 1, valid: 0.30002, test: 0.50002),
    ])
    #expect(report.chosenByTest?.coordinates.first?.value == "0.1")
    #expect(report.chosenByValidation?.coordinates.first?.value == "0.2")
  }

  @Test("of equal settings validation chooses the first")
  func ties() throws {
    let report = try SweepReport([
      MadeUp.run(alpha: "0.2", seed: 1, valid: 0.3, test: 0.1),
      MadeUp.run(alpha: "0.1", seed: 1, valid: 0.3, test: 0.2),
    ])
    #expect(report.chosenByValidation?.coordinates.first?.value == "0.2")
  }

  @Test("the text table")
  func text() throws {
    #expect(
      try SweepReport(MadeUp.sweep).lines.joined(separator: "\n") == """
        alpha1  seeds  valid recall@20
        0.1         2  0.3100 ± 0.0141
        0.05        2  0.3200 ± 0.0141
        0.01        1           0.4000

        chosen by validation (mean recall@20): alpha1=0.05  valid 0.3200 ± 0.0141
          test recall@20 0.4100 ± 0.0141 *
          test ndcg@20 0.2500 ± 0.0000 *
        MMRec's rule (highest test recall@20 of a single run, not a fair estimate): alpha1=0.1 \
        seed=1  test recall@20 0.5000  test ndcg@20 0.3000
        * with the seeds that chose the settings, so too good; report these with other seeds
        failed: alpha1=0.01 seed=1: loss is "nan", stopped
        """)
  }

  @Test("test metrics of a search: of the chosen settings only, or of all if asked for, marked")
  func searchSeeds() throws {
    let report = try SweepReport(MadeUp.sweep)
    #expect(report.searchSeeds == [1, 2])
    #expect(report.rows.map { $0.test.isEmpty } == [true, false, true])
    let test = try #require(report.chosenByValidation?.test["recall@20"])
    #expect(abs(test.mean - 0.41) < 1e-12)
    let all = try SweepReport(MadeUp.sweep, includesSearchSeeds: true)
    #expect(all.rows.allSatisfy { !$0.test.isEmpty })
    #expect(all.lines[0].contains("test recall@20 *"))
  }

  @Test("a sweep over objectives is no search: all of its test metrics are shown, unmarked")
  func comparison() throws {
    let runs = MadeUp.sweep[..<4].map { run in
      var run = run
      run.coordinates[0] = Coordinate(name: "objective", value: run.coordinates[0].value)
      return run
    }
    let report = try SweepReport(runs)
    #expect(report.searchSeeds.isEmpty)
    #expect(report.rows.allSatisfy { !$0.test.isEmpty })
    #expect(!report.lines.joined().contains("*"))
    #expect(report.lines[0].contains("test recall@20"))
  }

  @Test("the table as CSV, unrounded")
  func csv() throws {
    let runs = [
      MadeUp.run(alpha: "0.1", seed: 1, valid: 0.25, test: 1.0 / 3),
      MadeUp.run(alpha: "0.1", seed: 2, valid: 0.75, test: 1.0 / 3),
    ]
    #expect(
      try SweepReport(runs, metrics: ["RECALL@20"]).csv == """
        alpha1,seeds,complete,valid.recall@20.mean,valid.recall@20.std,test.recall@20.mean,\
        test.recall@20.std,chosen_by_validation,chosen_by_test
        0.1,2,true,0.5,0.3535533905932738,0.3333333333333333,0.0,true,true

        """)
  }

  @Test("the table of runs quotes what a comma, a quote or a new line would break")
  func runTable() {
    var run = MadeUp.run(alpha: "[5, 20]", seed: 1, valid: 0, test: 0, state: .failed)
    run.message = "a \"b\", c\r\nd"
    #expect(
      RunTable([run]).csv == """
        alpha1,seed,state,best_epoch,epochs_run,seconds,folder,message
        "[5, 20]",1,failed,,,,"runs/[5, 20]-1","a ""b"", c\r\nd"

        """)
  }

  @Test("a metric that the runs do not have is refused with those that they have")
  func unknownMetric() {
    #expect {
      try SweepReport(MadeUp.sweep, metrics: ["recall@7"])
    } throws: { "\($0)".contains("'recall@7'") && "\($0)".contains("recall@20, ndcg@20") }
  }

  @Test("runs that are selected by different metrics cannot be compared")
  func mixedSelection() {
    var runs = MadeUp.sweep
    runs[0].selectionMetric = "ndcg@20"
    #expect {
      try SweepReport(runs)
    } throws: { "\($0)".contains("ndcg@20, recall@20") && "\($0)".contains("hyper_parameters") }
  }
}
