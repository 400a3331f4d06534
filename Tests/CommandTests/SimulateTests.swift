import Testing

/// The command behind `scripts/simulate`.
@Suite struct SimulateTests {
  @Test("a failing seed is printed with the command that replays it, and the command fails")
  func failure() throws {
    let command = try Command(
      "simulate", "--seeds", "3", "--mutation", "incomplete-checkpoints")
    #expect(command.status == 1, "\(command.errors)")
    let lines = command.output.split(separator: "\n").map(String.init)
    let failure = try #require(lines.firstIndex { $0.hasPrefix("seed ") }, "\(lines)")
    let seed = lines[failure].split(separator: " ")[1]
    #expect(
      lines[failure + 1]
        == "  replay: scripts/simulate --seed \(seed) --trace --mutation incomplete-checkpoints")
    let replay = try Command(
      "simulate", "--seed", String(seed), "--trace", "--mutation", "incomplete-checkpoints")
    #expect(replay.status == 1)
    #expect(replay.output.contains(lines[failure]))
    #expect(replay.output.contains("VIOLATION"))
  }

  @Test("histories with the right bits are counted, and the command succeeds")
  func success() throws {
    let command = try Command("simulate", "--first", "5", "--seeds", "3")
    #expect(command.status == 0, "\(command.output)")
    #expect(command.output.hasPrefix("3 histories, 0 failed"))
  }
}
