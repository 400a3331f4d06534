import Testing
import Transport

extension TransportTests {
  @Suite("Keys")
  struct CurveKeyTests {
    @Test("the pair of RFC 26's example belongs together")
    func knownPair() throws {
      let pair = try CurveKeyPair(secretText: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")
      #expect("\(pair.publicKey)" == "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID")
    }

    @Test("every pair is new, can be written and read again, and prints its public half only")
    func fresh() throws {
      let pairs = try (0..<20).map { _ in try CurveKeyPair.fresh() }
      #expect(Set(pairs.map(\.publicKey)).count == 20)
      for pair in pairs {
        #expect(try CurveKeyPair(secretText: pair.secretText) == pair)
        #expect(CurvePublicKey("\(pair.publicKey)") == pair.publicKey)
        #expect(!"\(pair)".contains(pair.secretText))
      }
    }

    @Test(
      "invalid keys are refused, and the message does not contain them",
      arguments: [
        "", "short", String(repeating: "a", count: 39), String(repeating: "a", count: 41),
        String(repeating: "~", count: 40), String(repeating: "é", count: 20),
        String(repeating: "#", count: 40), String(repeating: " ", count: 40),
      ])
    func malformed(_ text: String) {
      #expect(CurvePublicKey(text) == nil)
      let error = #expect(throws: TransportError.self) { try CurveKeyPair(secretText: text) }
      #expect(error?.code == .invalidKey)
      #expect(text.count < 5 || error?.message.contains(text) == false)
    }
  }
}
