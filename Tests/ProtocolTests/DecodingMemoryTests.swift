import Protocol
import TestSupport
import Testing

@Suite("Decoding frees its memory", .serialized)
struct DecodingMemoryTests {
  /// Runs `body` often enough that a leak of a quarter mebibyte each time is seen.
  private func expectNoGrowth(_ body: () throws -> Void) throws {
    for _ in 0..<50 { try body() }
    let before = try residentBytes()
    for _ in 0..<2000 { try body() }
    #expect(try residentBytes() - before < 256 << 20)
  }

  private func welcome(configurationBytes: Int, interval: Double) -> WireMessage {
    let welcome = Welcome(
      runID: "run", generation: 0, rank: 0,
      configuration: String(repeating: "#", count: configurationBytes), tables: [], seed: 0,
      shardCount: 1, stepsPerEpoch: 1, roundsPerStep: 1, serverCount: 1,
      heartbeatInterval: interval)
    return CoordinatorEnvelope(term: 1, message: .welcome(welcome)).encoded()
  }

  @Test("of messages that it accepts")
  func accepted() throws {
    let message = welcome(configurationBytes: 1 << 20, interval: 1)
    try expectNoGrowth { _ = try CoordinatorEnvelope(decoding: message) }
  }

  @Test("of messages that it refuses after parsing them, and while parsing them")
  func refused() throws {
    let message = welcome(configurationBytes: 1 << 20, interval: -1)
    var limits = WireLimits.standard
    limits.decodedHeaderBytes = 600 << 10
    let large = WireMessage(frames: [
      ProtobufBytes.header.bytes(2000, [UInt8](repeating: 1, count: 500 << 10))
        .bytes(2001, [UInt8](repeating: 1, count: 500 << 10)).payload
    ])
    try expectNoGrowth {
      #expect(throws: WireError.self) { try CoordinatorEnvelope(decoding: message) }
      #expect(throws: WireError.self) {
        try CoordinatorEnvelope(decoding: large, limits: limits)
      }
    }
  }
}
