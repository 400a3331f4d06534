import Protocol
import TestSupport
import Testing

/// For any input, a decoder never traps, needs bounded time and
/// memory, refuses with a message, and what it accepts survives encoding and decoding again.
@Suite("Decoding of damaged messages")
struct DecodingFuzzTests {
  private static let samples = Samples.encoded.map(parts)

  private static func parts(_ message: WireMessage) -> [[UInt8]] {
    message.frames.map { $0.array(of: UInt8.self) }
  }

  /// Damaged messages of one kind, and now and then of another.
  private static func inputs(_ messages: [WireMessage]) -> InputMutator {
    let own = messages.map(parts)
    let headers = samples.compactMap { ProtobufFields($0[0][...]) }
    let changeFields: InputMutator.Change = { bytes, random in
      guard var fields = ProtobufFields(bytes[...]) else { return }
      fields.change(&random, donor: random.element(of: headers))
      bytes = fields.bytes
    }
    let repeats = max(1, 4 * samples.count / own.count)
    return InputMutator(
      samples: samples + (0..<repeats).flatMap { _ in own }, changes: [changeFields],
      variesParts: true)
  }

  private static func parser<Message: Equatable & SendableMetatype>(
    _ name: String, samples: [WireMessage],
    decode: @escaping @Sendable (WireMessage, WireLimits) throws(WireError) -> Message,
    encode: @escaping @Sendable (Message) -> WireMessage
  ) -> FuzzedParser {
    FuzzedParser(name, inputs: inputs(samples), rounds: 60_000) { parts, random in
      // Parsing also runs out of memory at every point.
      var limits = WireLimits.standard
      if random.oneIn(2) { limits.decodedHeaderBytes = random.below(1500) }
      let message: Message
      do throws(WireError) {
        message = try decode(WireMessage(frames: parts.map { .copying($0) }), limits)
      } catch {
        return .refused(error.message)
      }
      let sent = encode(message)
      let received: Message
      let receivedAgain: Message
      do {
        received = try decode(sent, .standard)
        receivedAgain = try decode(sent, .standard)
      } catch {
        throw FuzzFailure("\(message) was accepted, but not after encoding it again: \(error)")
      }
      // NaN differs from itself, but its bytes are equal.
      guard received == message || received != receivedAgain,
        Self.parts(encode(received)) == Self.parts(sent)
      else { throw FuzzFailure("\(message) became \(received)") }
      return .accepted
    }
  }

  @Test("data requests")
  func dataRequests() throws {
    try FuzzRun.run(
      Self.parser(
        "data-request", samples: Samples.requests.map { $0.encoded() },
        decode: { (message, limits) throws(WireError) in
          try DataRequest(decoding: message, limits: limits)
        }, encode: { $0.encoded() }))
  }

  @Test("data replies")
  func dataReplies() throws {
    try FuzzRun.run(
      Self.parser(
        "data-reply", samples: Samples.replies.map { $0.encoded() },
        decode: { (message, limits) throws(WireError) in
          try DataReply(decoding: message, limits: limits)
        }, encode: { $0.encoded() }))
  }

  @Test("messages of nodes")
  func nodeMessages() throws {
    try FuzzRun.run(
      Self.parser(
        "node-message", samples: Samples.nodeMessages.map { $0.encoded() },
        decode: { (message, limits) throws(WireError) in
          try NodeMessage(decoding: message, limits: limits)
        }, encode: { $0.encoded() }))
  }

  @Test("messages of the coordinator")
  func coordinatorEnvelopes() throws {
    try FuzzRun.run(
      Self.parser(
        "coordinator-envelope", samples: Samples.envelopes.map { $0.encoded() },
        decode: { (message, limits) throws(WireError) in
          try CoordinatorEnvelope(decoding: message, limits: limits)
        }, encode: { $0.encoded() }))
  }
}
