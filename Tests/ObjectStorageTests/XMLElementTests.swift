import ObjectStorage
import Testing

@Suite("XML of object stores")
struct XMLElementTests {
  private static func parse(_ text: String) throws -> XMLElement {
    try XMLElement(parsing: Array(text.utf8))
  }

  @Test("elements have their text and children")
  func parsed() throws {
    let root = try Self.parse(
      "<?xml version=\"1.0\"?><A xmlns=\"urn:x\"><B>one &amp; &lt;two&gt; \u{FC}</B><C/><B>2</B></A>"
    )
    #expect(root.name == "A" && root.first("B") == "one & <two> ü" && root.first("C") == "")
    #expect(root.all("B").map(\.text) == ["one & <two> ü", "2"] && root.first("D") == nil)
  }

  @Test(
    "what is no document, or without bounds, is refused",
    arguments: [
      "", "x", "<A>", "<A></B>", "<A/><B/>", "<A>&unknown;</A>", "{\"A\": 1}",
      "<!DOCTYPE A [<!ENTITY e \"ee\">]><A>&e;</A>",
      String(repeating: "<A>", count: 20) + String(repeating: "</A>", count: 20),
      "<A>" + String(repeating: "<B/>", count: 100_001) + "</A>",
    ])
  func refused(text: String) {
    #expect(#expect(throws: S3Error.self) { try Self.parse(text) }?.kind == .malformed)
  }
}
