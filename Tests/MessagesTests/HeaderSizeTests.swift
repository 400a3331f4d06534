import Messages
import Testing

@Suite("The cost of a header")
struct EncodingCostTests {
  @Test("a push of 15 sections is encoded, and decoded, in microseconds")
  func push() throws {
    let sections = (0..<15).map {
      TableSection(table: $0, rowCount: 0, width: 64, isWhole: false)
    }
    let request = DataRequest(
      id: 1,
      body: .push(
        PushRequest(
          name: Samples.name, kind: .gradient, sections: sections, keys: .empty, values: .empty)))
    let message = request.encoded()
    #expect(message.frames[0].byteCount < 200)

    /// The quietest of several batches, because other tests share the machine.
    func best(_ body: () throws -> Void) rethrows -> Duration {
      var best = Duration.seconds(1)
      for _ in 0..<20 {
        best = min(best, try ContinuousClock().measure { for _ in 0..<500 { try body() } } / 500)
      }
      return best
    }
    let encoding = best { _ = request.encoded() }
    let decoding = try best { _ = try DataRequest(decoding: message) }
    print("push header of 15 sections: \(encoding) to encode, \(decoding) to decode")
    #expect(encoding < .microseconds(20))
    #expect(decoding < .microseconds(20))
  }
}
