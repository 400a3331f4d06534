import Files
import Testing

@Suite("Text from outside")
struct UntrustedTextTests {
  @Test("is shortened and made safe for a terminal")
  func sanitized() {
    #expect("plain ü 漢".sanitized() == "plain ü 漢")
    #expect("a\u{1B}[31m\r\n\u{7}\u{85}\u{2028}\u{202E}b".sanitized() == "a?[31m??????b")
    #expect(
      String(repeating: "x", count: 61).sanitized() == String(repeating: "x", count: 60) + "…")
    #expect("abc".sanitized(atMost: 3) == "abc" && "abcd".sanitized(atMost: 3) == "abc…")
  }

  @Test("is printed in full, with its lines, and made safe for a terminal")
  func withoutControlCharacters() {
    #expect("plain ü 漢\n\tline".withoutControlCharacters() == "plain ü 漢\n\tline")
    #expect(
      "a\u{1B}]0;x\u{7}\r\u{9B}31m\u{202E}b\n".withoutControlCharacters() == "a?]0;x???31m?b\n")
    #expect(String(repeating: "x", count: 900).withoutControlCharacters().count == 900)
  }

  @Test(
    "a file's format is recognised by its first bytes",
    arguments: [
      ([0x1F, 0x8B, 8], "gzip"), (Array("PK\u{3}\u{4}x".utf8), "zip"),
      ([0xFF, 0xFE, 0x61, 0], "UTF-16"),
      (Array("<!DOCTYPE html><html>".utf8), "web page"), (Array("\n <HTML>".utf8), "web page"),
      (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
      (Array("{\"a\": 1}".utf8), "JSON"), (Array("SQLite format 3\0".utf8), "SQLite"),
      ([0x93] + Array("NUMPY".utf8), "npy"), ([0x80, 0x04, 0x95], "pickle"), ([], "empty"),
    ] as [([UInt8], String)])
  func contentKinds(_ bytes: [UInt8], _ word: String) throws {
    #expect(try #require(ContentKind.sentence(bytes)).contains(word))
  }

  @Test("unknown formats have no description, nor has JSON where it is expected")
  func unknownContent() {
    #expect(ContentKind.sentence(Array("userID\titemID\n".utf8)) == nil)
    #expect(ContentKind.sentence([0, 0, 0, 0]) == nil)
    #expect(ContentKind.sentence(Array("{}".utf8), isJSONExpected: true) == nil)
  }

  @Test(
    "aliases are found wherever YAML allows them",
    arguments: [
      ("a: *b", 1, 4), ("# c\n- *b", 2, 3), ("[*b]", 1, 2), ("{*b : 1}", 1, 2), ("[?*b]", 1, 3),
      ("a:\n  - x\n  -   *b-1", 3, 7), ("{\"a\":*b}", 1, 6), ("? *b\n: 1", 1, 3),
      ("x: 'y' # it's\na: *b", 2, 4), ("\"abc\n# def\", *a", 2, 9), ("a: 1 # c\r*b : 2", 2, 1),
      ("a: 1 # c\u{2028}*b : 2", 2, 1), ("a: 1 # c\u{85}*b : 2", 2, 1), ("\u{FEFF}*b : 2", 1, 4),
      ("a: !!str\t*b", 1, 10),
    ])
  func aliases(text: String, line: Int, column: Int) {
    #expect(YAMLAlias.first(in: text)?.line == line)
    #expect(YAMLAlias.first(in: text)?.column == column)
  }

  @Test(
    "other asterisks are not aliases",
    arguments: [
      "", "a: 1", "# *important*\na: 1 # *see* there", "bind: tcp://*:5000", "glob: data/*.npy",
      "a: b*c", "a: 2 * 3", "\t# *x",
    ])
  func others(text: String) {
    #expect(YAMLAlias.first(in: text) == nil)
  }
}
