import Runtime
import Telemetry
import Testing
import Transport

@Suite("The board of a process's counters")
struct TelemetryBoardTests {
  private struct Source: MetricSource {
    var value: Double
    var families: [MetricFamily] { [MetricFamily("mrdib_x", .gauge, "A value.", value)] }
  }

  private func part(
    _ value: Double, isReady: Bool = true, name: String = "worker"
  ) -> TelemetryBoard.Part {
    TelemetryBoard.Part(
      name, Source(value: value), TelemetryBoard.Status(isReady: isReady, activity: "computing"))
  }

  @Test("a copy is made four times a second at most, and the last one always")
  func interval() {
    let board = TelemetryBoard()
    var made = 0
    for step in 0...20 {
      board.leave(at: 100 + Double(step) * 0.05) {
        made += 1
        return [part(Double(step))]
      }
    }
    #expect(made == 5)
    #expect(board.families == [MetricFamily("mrdib_x", .gauge, "A value.", 20)])
    board.leaveLast([part(7)])
    #expect(board.families == [MetricFamily("mrdib_x", .gauge, "A value.", 7)])
  }

  @Test("a process is ready when all its parts are, and says what they do")
  func readiness() {
    let board = TelemetryBoard()
    #expect(board.status == TelemetryBoard.Status(isReady: false, activity: "starting"))
    board.leaveLast([
      part(1), part(2, isReady: false, name: "server"),
      TelemetryBoard.Part("network", Source(value: 0), nil),
    ])
    #expect(!board.status.isReady)
    #expect(board.status.activity == "worker: computing; server: computing")
    board.leaveLast([part(2, name: "server")])
    #expect(board.status.isReady)
  }

  @Test("a loop that no longer turns counts as hanging, and one before its first turn as alive")
  func hanging() {
    let board = TelemetryBoard(patience: -1)
    board.leaveLast([part(1)])
    #expect(board.turnAge == nil)
    board.turned()
    #expect(board.turnAge != nil)
    #expect(!board.isAlive)
    #expect(!board.status.isReady)
    let patient = TelemetryBoard(patience: 1e9)
    patient.turned()
    #expect(patient.isAlive)
  }
}
