import DataPreparation
import Datasets
import TestSupport
import Testing

/// Text as users have it: marks, line ends, quotes, damaged lines, other encodings.
@Suite struct OddTextTests {
  @Test(
    "marks and line ends do not matter",
    arguments: [
      "user,item\na,x\nb,y\n", "user,item\na,x\nb,y", "\u{FEFF}user,item\r\na,x\r\nb,y\r\n",
      "user,item\n\na,x\n\r\n\nb,y\n\n", "\"user\",\"item\"\n\"a\",\"x\"\nb,\"y\"",
    ])
  func lineEnds(text: String) throws {
    let imported = try Imported(text)
    #expect(try imported.interactions == "userID\titemID\n0\t0\n1\t1\n")
    #expect(try imported.users == "userID\tid\n0\ta\n1\tb\n")
    #expect(try imported.items == "itemID\tid\n0\tx\n1\ty\n")
  }

  @Test("quoted fields hold delimiters, doubled quotes and line breaks")
  func quotes() throws {
    let imported = try Imported(
      "user,item,note\n\"A, \"\"B\"\"\",x,\"one\ntwo\r\nthree\"\na,\"\"\"\",\"\"\n")
    #expect(try imported.users == "userID\tid\n0\tA, \"B\"\n1\ta\n")
    #expect(try imported.items == "itemID\tid\n0\tx\n1\t\"\n")
  }

  @Test("ids with blanks and letters of any script")
  func letters() throws {
    let imported = try Imported("user,item\nÅsa Ö,日本\nÅsa Ö, 日本\n")
    #expect(try imported.users == "userID\tid\n0\tÅsa Ö\n")
    #expect(try imported.items == "itemID\tid\n0\t日本\n1\t 日本\n")
  }

  @Test(
    "a damaged line is named with its number and its reason",
    arguments: [
      ("a,x\n", "has 2 fields, not 3"), ("a,x,1,2\n", "has 4 fields, not 3"),
      (",x,1\n", "has an empty user"), ("a,,1\n", "has an empty item"),
      ("a,x,\n", "has an empty rating"), ("a,x,nan\n", "'nan', which is no finite number"),
      ("a,x,1e999\n", "no finite number"), ("a,x,--1\n", "no finite number"),
      ("a,\"x\ty\",1\n", "control character in the item"),
      ("a,x\u{0},1\n", "NUL bytes in the item"),
      ("\"a\"b,x,1\n", "text between the closing quote"), ("\"a,x,1\n", "quoted field that is not"),
      (String(repeating: "a", count: 5000) + ",x,1\n", "more than 4096 bytes"),
    ])
  func damagedLine(line: String, reason: String) throws {
    let text = "user,item,rating\nu,i,1\n\(line)v,j,2\n"
    let observer = RecordingObserver()
    let error = try #require(try Imported.refusal(Array(text.utf8), observer: observer))
    #expect(error.message.contains("1 damaged line"), "\(error)")
    #expect(observer.warnings.count == 1)
    #expect(observer.warnings[0].hasPrefix("ratings.csv:3: "))
    #expect(observer.warnings[0].contains(reason), "\(observer.warnings)")
    let imported = try Imported(text) { $0.skipsDamaged = true }
    #expect(try imported.interactions == "userID\titemID\trating\n0\t0\t1\n1\t1\t2\n")
    #expect(imported.summary.damagedRows == 1 && imported.summary.rowsRead == 3)
    #expect(try imported.text("dataset.yaml").contains("damaged_rows_skipped: 1"))
  }

  @Test("twenty damaged lines are listed, and all are counted")
  func manyDamaged() throws {
    let text = "user,item\n" + String(repeating: "a\n", count: 50) + "a,b\n"
    let observer = RecordingObserver()
    let error = try #require(try Imported.refusal(Array(text.utf8), observer: observer))
    #expect(error.message.contains("50 damaged lines (of 51)"))
    #expect(observer.warnings.count == 21)
    #expect(observer.warnings.last == "… and 30 more damaged lines")
  }

  @Test("bytes that are not UTF-8 are named with the conversion")
  func latin1() throws {
    let observer = RecordingObserver()
    let bytes = Array("user,item\nJos".utf8) + [0xE9] + Array(",x\n".utf8)
    _ = try #require(try Imported.refusal(bytes, observer: observer))
    #expect(observer.warnings[0].contains("not UTF-8"))
    #expect(observer.warnings[0].contains("iconv -f windows-1252 -t utf-8"))
    // Not in a column that is used.
    let other = Array("user,item,note\na,x,Jos".utf8) + [0xE9, 0x0A]
    #expect(try Imported.refusal(other) == nil)
  }

  @Test("UTF-16 is named with its conversion, with a mark and without")
  func wideText() throws {
    let text = Array("user,item\nanna,x\n".utf16)
    let little = text.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let big = text.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    for (bytes, encoding) in [
      ([0xFF, 0xFE] + little, "utf-16"), (little, "utf-16le"), (big, "utf-16be"),
    ] {
      let message = try #require(try Imported.refusal(bytes)).message
      #expect(message.contains("iconv -f \(encoding) -t utf-8"), "\(message)")
    }
  }

  @Test(
    "what holds no interactions is refused with a reason",
    arguments: [
      ("", "it is empty"), ("user,item\n", "no interactions"), ("\n\n", "no lines"),
      ("a\nb\n", "no column that is known as the user"), ("1\n2\n", "has one column"),
      ("user,item\ra,b\r", "old Macs"), ("PAR1....", "Parquet"), ("<html><body>", "web page"),
      ("[{\"user\": 1}]\n", "jq -c"), ("[\n  {\n", "jq -c"),
      ("{\"user\": 1\n", "no JSON object"),
    ])
  func nothing(text: String, reason: String) throws {
    let error = try #require(try Imported.refusal(text))
    #expect(error.message.contains(reason), "\(error)")
  }

  @Test("archives, arrays and files of Office are named with what to do")
  func otherFiles() throws {
    let table = Array("user,item\na,b\n".utf8)
    var tar = table + [UInt8](repeating: 0, count: 2048)
    tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
    let array: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    let office = Array("PK\u{3}\u{4}................[Content_Types].xml".utf8)
    for (bytes, reason) in [
      ([0x45, 0x2C, 0x01, 0x02, 0x0A] + table, "no text file"), (tar, "tar -xf"),
      (try Archives.gzip(tar), "tar -xf"), (array, "mrdib data features"),
      (office, "save the table as CSV"),
      (try Archives.gzip(Archives.gzip(table)), "packed twice"),
    ] {
      let message = try #require(try Imported.refusal(bytes)).message
      #expect(message.contains(reason), "\(message)")
    }
  }

  @Test("NUL bytes are named, in an id and in place of a line")
  func nulBytes() throws {
    for text in ["user,item\na,b\n\0\0\0\0", "user,item\na\0,b\n"] {
      let observer = RecordingObserver()
      #expect(try Imported.refusal(Array(text.utf8), observer: observer) != nil)
      #expect(observer.warnings.first?.contains("NUL bytes") == true, "\(observer.warnings)")
    }
  }

  @Test("if most rows have a problem, the advice is about the column or the file")
  func manyProblems() throws {
    let rows = { (row: String) in
      "user,item,rating,time\n" + String(repeating: row + "\n", count: 12)
    }
    for (row, advice) in [
      ("a,b,3,05/15/2014", "--time-column none"), ("a,b,good,1", "--rating-column none"),
    ] {
      let message = try #require(try Imported.refusal(rows(row))).message
      #expect(message.contains(advice) && !message.contains("--skip-damaged"), "\(message)")
    }
  }

  @Test("a line may be long, but not without end")
  func longLines() throws {
    let long = "user,item,note\na,x,\(String(repeating: "n", count: 3 << 20))\nb,y,n\n"
    #expect(try Imported(long).interactions == "userID\titemID\n0\t0\n1\t1\n")
    let endless = Array("user,item\na,".utf8) + Array(repeating: 0x78, count: 17 << 20)
    let error = try #require(try Imported.refusal(endless))
    #expect(error.line == 2 && error.message.contains("16 MiB"), "\(error)")
  }

  @Test("a quote that is not closed damages its own line only")
  func openQuote() throws {
    let rows = (0..<2500).map { "u\($0),i\n" }.joined()
    let imported = try Imported("user,item\n\"a,b\n\(rows)") { $0.skipsDamaged = true }
    #expect(imported.summary.damagedRows == 1 && imported.summary.rowsWritten == 2500)
  }
}
