import Datasets
import Testing

/// Literals of Python as headers and as printed dictionaries.
@Suite struct PythonLiteralTests {
  private static func parse(_ text: String) throws -> PythonLiteral {
    try PythonLiteral.parse(Array(text.utf8), dialect: .data)
  }

  @Test(
    "data has escapes, marks of Unicode and numbers with a point",
    arguments: [
      (#"'It\'s'"#, .string("It's")), (#"u"\u00e9\n""#, .string("é\n")),
      (#"'caf\xc3\xa9'"#, .string("café")), (#"'\U0001F600\q'"#, .string("😀\\q")),
      ("-1.5e2", .real(-150)), ("12L", .integer(12)), ("None", .none),
      (
        "[('a', 1.5), {u'k': True}]",
        .sequence([
          .sequence([.string("a"), .real(1.5)]), .dictionary(["k": .boolean(true)]),
        ])
      ),
    ] as [(String, PythonLiteral)])
  func data(text: String, expected: PythonLiteral) throws {
    #expect(try Self.parse(text) == expected)
  }

  @Test(
    "what is malformed is refused",
    arguments: [#"'\x4'"#, #"'\"#, "u", "u1", "1.2.3", "{'a' 1}", #"'\ud8"#])
  func malformed(text: String) {
    #expect(throws: PythonLiteral.SyntaxError.self) { try Self.parse(text) }
  }

  @Test("headers have none of these", arguments: [#"'It\'s'"#, "u'a'", "1.5"])
  func header(text: String) {
    #expect(throws: PythonLiteral.SyntaxError.self) {
      try PythonLiteral.parse(Array(text.utf8))
    }
  }
}
