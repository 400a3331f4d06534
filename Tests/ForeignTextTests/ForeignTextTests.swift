import ForeignText
import Testing

@Suite("Text from outside")
struct ForeignTextTests {
  @Test("is shown without what a terminal would obey, and shortened")
  func shown() {
    #expect("plain ü 漢".shown() == "plain ü 漢")
    #expect("a\u{1B}[31m\r\n\u{7}\u{85}\u{2028}\u{202E}b".shown() == "a?[31m??????b")
    #expect(String(repeating: "x", count: 61).shown() == String(repeating: "x", count: 60) + "…")
    #expect("abc".shown(atMost: 3) == "abc" && "abcd".shown(atMost: 3) == "abc…")
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
    "other stars are none",
    arguments: [
      "", "a: 1", "# *important*\na: 1 # *see* there", "bind: tcp://*:5000", "glob: data/*.npy",
      "a: b*c", "a: 2 * 3", "\t# *x",
    ])
  func others(text: String) {
    #expect(YAMLAlias.first(in: text) == nil)
  }
}
