import Datasets
import TestSupport
import Testing

@Suite("interaction files")
struct InteractionFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(name: "data") }

  private func read(_ text: String) throws -> Interactions {
    try InteractionFile.read(folder.write(text, to: "data.inter"))
  }

  private func refusal(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation
  ) -> DatasetError {
    let error = problem(sourceLocation: sourceLocation) { try read(text) }
    #expect(error.path.hasSuffix("/data.inter"), sourceLocation: sourceLocation)
    return error
  }

  private func expectSmallData(_ interactions: Interactions) {
    #expect(interactions.users == [0, 0, 1, 1, 2, 2])
    #expect(interactions.items == [0, 1, 1, 2, 2, 3])
    #expect(interactions.labels == [.train, .train, .train, .valid, .train, .test])
  }

  @Test("MMRec's layout is read in the order of the file")
  func readsMMRec() throws {
    let interactions = try read(SmallData.header + SmallData.rows)
    expectSmallData(interactions)
    #expect((0..<6).map { interactions.line(of: $0) } == [2, 3, 4, 5, 6, 7])
  }

  @Test("lines that end with carriage returns alone are refused with a command that converts them")
  func carriageReturnsAlone() {
    let text = SmallData.header + SmallData.rows
    for damaged in [text.replacing("\n", with: "\r"), text.replacing("\n", with: "\r") + "\n"] {
      expect(refusal(damaged), says: "carriage return alone", "tr '\\r' '\\n'")
    }
  }

  @Test(
    "a file of another format is refused with the name of that format",
    arguments: [
      ([0x1F, 0x8B, 8, 0, 0], "gzip archive"),
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8), "git lfs pull"),
      (Array("<!DOCTYPE html>\n<html>404</html>\n".utf8), "web page"),
      ([0xFF, 0xFE, 0x75, 0, 0x73, 0], "UTF-16"), (Array("{\"userID\": [0]}\n".utf8), "JSON"),
    ] as [([UInt8], String)])
  func otherKinds(_ bytes: [UInt8], _ word: String) throws {
    let path = try folder.write(bytes, to: "data.inter")
    expect(problem { try InteractionFile.read(path) }, says: "not an interaction file", word)
  }

  @Test("RecBole's header, other orders and further columns are read")
  func readsRecBole() throws {
    expectSmallData(
      try read(
        """
        x_label:float\tnote:token_seq\titem_id:token\tuser_id:token\trating:float
        0\ta b\t0\t0\t5
        0.0\t\t1\t0\t4
        0\tc\t1\t1\t3
        1.00\td\t2\t1\t5
        0\te\t2\t2\t5
        2.\tf\t3\t2\t1
        """))
  }

  @Test(
    "line ends of other systems, a byte-order mark and blank last lines are tolerated",
    arguments: ["carriage returns", "mark and blank lines", "no last line end", "half a line end"])
  func toleratesLineEnds(variant: String) throws {
    let text = SmallData.header + SmallData.rows
    switch variant {
    case "carriage returns": expectSmallData(try read(text.replacing("\n", with: "\r\n")))
    case "mark and blank lines": expectSmallData(try read("\u{FEFF}\(text)\n\r\n\n"))
    case "no last line end": expectSmallData(try read(String(text.dropLast())))
    default: expectSmallData(try read("\(text.dropLast())\r"))
    }
  }

  @Test("the largest id is read, and leading zeros are ignored")
  func readsLargestID() throws {
    let interactions = try read(SmallData.header + "2147483646\t0007\t1\t0\t0\n")
    #expect(interactions.users == [InteractionFile.largestID] && interactions.items == [7])
  }

  @Test(
    "a bad field is named with its line, its value and what it should be",
    arguments: [
      ("-3\t0\t1\t0\t0", "negative user id '-3'", "0, 1, 2"),
      ("0\t-1\t1\t0\t0", "negative item id '-1'", "0, 1, 2"),
      ("u17\t0\t1\t0\t0", "user id 'u17'", "not a whole number"),
      ("0\t3.0\t1\t0\t0", "item id '3.0'", "not a whole number"),
      ("\t0\t1\t0\t0", "empty user id", "0, 1, 2"),
      ("2147483647\t0\t1\t0\t0", "user id '2147483647'", "2147483646"),
      ("0\t99999999999999999999999\t1\t0\t0", "item id '99999999999999999999999'", "largest"),
      ("0\t0\t1\t0\t3", "x_label '3'", "0 (train), 1 (validation) or 2 (test)"),
      ("0\t0\t1\t0\t", "x_label ''", "0 (train)"),
      ("0\t0\t1\t0\ttrain", "x_label 'train'", "0 (train)"),
      ("0\t0\t1\t0\t0.5", "x_label '0.5'", "0 (train)"),
      ("0\t0\t1\t0", "4 fields", "5 columns"),
      ("0\t0\t1\t0\t0\t0", "6 fields", "5 columns"),
      ("", "is blank", "5 columns"),
      ("0 0 1 0 0", "1 fields", "separated by tabs"),
      ("0\t0\t1\r\t0\t0", "carriage return", "line ends"),
    ])
  func namesBadFields(line: String, found: String, expected: String) {
    let error = refusal(SmallData.header + "0\t0\t1\t0\t0\n\(line)\n1\t1\t1\t0\t0\n")
    #expect(error.line == 3 && error.kind == .malformed)
    expect(error, says: "data.inter:3: ", found, expected)
  }

  @Test("control characters of a damaged file do not reach the terminal")
  func hidesControlCharacters() {
    let error = refusal(SmallData.header + "\u{1B}[31m\u{7}\t0\t1\t0\t0\n")
    expect(error, says: "'?[31m?'")
  }

  @Test("a missing split is explained")
  func explainsMissingSplit() {
    let error = refusal("userID\titemID\trating\n0\t0\t1\n")
    expect(
      error, says: "data.inter:1", "not split yet", "no column x_label", "validation (1)",
      "mrdib data split \(folder.path) --out OTHER")
  }

  @Test("a header without ids, with two of them, or without tabs is explained")
  func explainsBadHeaders() {
    expect(refusal("uid\titemID\tx_label\n0\t0\t0\n"), says: "no column userID or user_id", "'uid'")
    expect(refusal("userID\tsku\tx_label\n0\t0\t0\n"), says: "no column itemID or item_id", "'sku'")
    expect(
      refusal("userID\tuser_id\titemID\tx_label\n0\t0\t0\t0\n"), says: "2 columns called userID")
    expect(refusal("userID,itemID,x_label\n0,0,0\n"), says: "','", "tabs")
    expect(refusal("userID itemID x_label\n0 0 0\n"), says: "' '", "tabs")
    expect(refusal("0\t0\t5.0\t0\t0\n"), says: "the header should be: userID itemID")
  }

  @Test("an empty file and one with only a header are distinguished")
  func refusesEmptyFiles() {
    expect(refusal(""), says: "is empty", "userID itemID")
    expect(refusal(SmallData.header), says: "no interactions")
    expect(refusal(SmallData.header + "\n\n"), says: "no interactions")
  }

  @Test("a NUL byte is named with its line")
  func namesNULBytes() {
    let error = refusal(SmallData.header + "0\t0\t1\t0\t0\n0\t1\t\0\t0\t0\n")
    #expect(error.line == 3)
    expect(error, says: "NUL", "UTF-8")
  }

  @Test("a file that is cut off within a line is recognised")
  func recognisesTruncation() {
    for cut in 1...8 {
      let text = String((SmallData.header + SmallData.rows).dropLast(cut + 1))
      let error = refusal(text)
      #expect(error.line == 7)
      expect(error, says: "cut off")
    }
  }

  @Test("a missing file is named")
  func namesMissingFile() {
    let error = problem { try InteractionFile.read(folder.path("none.inter")) }
    #expect(error.kind == .notFound)
    expect(error, says: "none.inter", "No such file")
  }

  @Test("damaged files give an error or interactions, never a crash")
  func survivesDamage() throws {
    var random = SeededGenerator(seed: 11)
    let whole = Array((SmallData.header + SmallData.rows + SmallData.rows).utf8)
    var refused = 0
    for _ in 0..<3000 {
      var damaged = Array(whole[..<(whole.count - random.below(40))])
      for _ in 0...random.below(4) {
        damaged[random.below(damaged.count)] ^= 1 << random.below(8)
      }
      let path = try folder.write(damaged, to: "data.inter")
      do {
        let interactions = try InteractionFile.read(path)
        _ = try Dataset(name: "damaged", interactions: interactions)
      } catch {
        refused += 1
        #expect(!error.message.isEmpty)
      }
    }
    #expect(refused > 1500)
  }
}
