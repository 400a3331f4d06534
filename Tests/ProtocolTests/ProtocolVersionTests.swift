import Protocol
import TestSupport
import Testing

@Suite("A peer of another protocol version")
struct ProtocolVersionTests {
  private let future = WireMessage(frames: [
    ProtobufBytes().number(1, 9).number(2, 5).number(4000, 1).payload
  ])

  @Test("the error names both versions and what to do")
  func error() throws {
    let error = try #require(throws: WireError.self) { try DataRequest(decoding: future) }
    #expect(error.code == .protocolVersion)
    #expect(error.message.contains("version 9"))
    #expect(error.message.contains("version \(ProtocolVersion.current)"))
    #expect(error.message.contains("same mrdib build"))
    #expect(error.refusal == Refusal(code: .protocolVersion, message: error.message))
  }

  @Test("every decoder detects it")
  func everyDecoder() {
    #expect(throws: WireError.self) { try DataReply(decoding: future) }
    for decode in [
      { (message: WireMessage) throws in _ = try NodeMessage(decoding: message) },
      { (message: WireMessage) throws in _ = try CoordinatorEnvelope(decoding: message) },
    ] {
      let error = #expect(throws: WireError.self) { try decode(future) }
      #expect(error?.code == .protocolVersion)
    }
  }

  @Test("a missing version is detected")
  func missing() {
    let error = #expect(throws: WireError.self) {
      try NodeMessage(decoding: WireMessage(frames: [.empty]))
    }
    #expect(error?.code == .protocolVersion)
  }
}
