import Protocol
import Testing

@Suite("The size of a header")
struct HeaderSizeTests {
  @Test("the header of a push with 15 sections has less than 200 bytes")
  func push() {
    let sections = (0..<15).map {
      TableSection(table: $0, rowCount: 0, width: 64, isWhole: false)
    }
    let request = DataRequest(
      id: 1,
      body: .push(
        PushRequest(
          name: Samples.name, kind: .gradient, sections: sections, keys: .empty, values: .empty)))
    #expect(request.encoded().frames[0].byteCount < 200)
  }
}
