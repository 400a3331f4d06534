import Enrollment
import Messages
import Testing

/// What a node tells people while it waits for its coordinator.
@Suite struct WaitNoticeTests {
  private let hello = NodeHello(
    role: .worker, incarnation: 7, runID: "", dataEndpoint: "", host: "here", processID: 1)

  private func welcome() -> Welcome {
    Welcome(
      runID: "run", generation: 1, rank: 0, configuration: "", tables: [], seed: 1, shardCount: 1,
      stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1, heartbeatInterval: 1)
  }

  /// The notices of so many seconds, one tick each, with their times.
  private func notices(
    _ enrollment: inout Enrollment, from start: Int, to end: Int
  ) -> [(time: Int, text: String)] {
    (start...end).compactMap { second in
      _ = enrollment.tick(at: Double(second))
      return enrollment.waitNotice(at: Double(second)).map { (second, $0) }
    }
  }

  @Test("a coordinator that does not answer: what is waited for and how long, seldom")
  func noAnswer() {
    var enrollment = Enrollment(hello: hello, at: 0)
    let told = notices(&enrollment, from: 0, to: 100)
    #expect(told.map(\.time) == [10, 70])
    #expect(told[1].text.contains("the coordinator to answer, for 70 s so far; after 600 s"))
  }

  @Test("one that answers and does not admit: its reason")
  func notAdmitted() {
    var enrollment = Enrollment(hello: hello, at: 0)
    let refusal = Refusal(code: .clusterFull, message: "all here")
    _ = enrollment.handle(CoordinatorLetter(term: 1, message: .refused(refusal)), at: 1)
    let told = notices(&enrollment, from: 1, to: 20)
    #expect(told.count == 1 && told[0].text.contains("to admit this process (it says: all here)"))
  }

  @Test("one that falls silent, and one of a lower term in its place")
  func silence() throws {
    var enrollment = Enrollment(hello: hello, at: 0)
    _ = enrollment.handle(CoordinatorLetter(term: 3, message: .welcome(welcome())), at: 0)
    #expect(notices(&enrollment, from: 0, to: 9).isEmpty)
    _ = enrollment.handle(
      CoordinatorLetter(term: 3, message: .heartbeatSeen(generation: 1)), at: 9)
    let told = notices(&enrollment, from: 9, to: 30)
    #expect(told.map(\.time) == [19])
    #expect(told[0].text.contains("a message from the coordinator, for 10 s so far; after 60 s"))
    _ = enrollment.handle(
      CoordinatorLetter(term: 1, message: .heartbeatSeen(generation: 1)), at: 40)
    // Only time in which it looks counts.
    let departures = (41...70).flatMap { enrollment.tick(at: Double($0)) }.compactMap { action in
      if case .leave(.transient(let reason)) = action { reason } else { nil }
    }
    let reason = try #require(departures.first)
    #expect(reason.contains("A coordinator of term 1 answers"), "\(reason)")
  }

  @Test("within one process nobody is waited for")
  func oneProcess() {
    var enrollment = Enrollment(hello: hello, limits: .oneProcess, at: 0)
    #expect(notices(&enrollment, from: 0, to: 200).isEmpty)
  }
}
