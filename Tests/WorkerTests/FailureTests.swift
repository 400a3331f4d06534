import Protocol
import Recommenders
import Testing
import Worker

@Suite struct FailureTests {
  @Test("a push that is too large for a message is refused with the table and advice")
  func largePush() throws {
    let half = PushLimit.byteCount / 2
    try PushLimit.check(
      [.init(table: "user", byteCount: half), .init(table: "item", byteCount: half)], server: 0)
    let error = #expect(throws: TrainingError.self) {
      try PushLimit.check(
        [.init(table: "user", byteCount: half), .init(table: "item", byteCount: half + 4)],
        server: 1)
    }
    let message = error?.description ?? ""
    for word in ["table 'item'", "server 1", "\(2 * half + 4)", "more servers"] {
      #expect(message.contains(word), "\(message)")
    }
  }

  @Test("scores that are NaN mean that the run diverged; other errors do not")
  func notFinite() {
    let score = EvaluationError.scoreNotFinite(subject: "user 3", item: 7, score: .nan)
    #expect(TaskFailure(describing: score).kind == .diverged)
    #expect(TaskFailure(describing: EvaluationError.shapesDisagree("2 and 3")).kind == .failed)
    #expect(TaskFailure(describing: TrainingError("no", kind: .diverged)).kind == .diverged)
  }
}
