import Datasets
import TestSupport
import Testing

@Suite("tables of ids")
struct IdentifierTableTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func refusal(_ text: String, kind: IdentifierTable.Kind = .users) throws -> DatasetError {
    let path = try folder.write(text, to: "table")
    return problem { try IdentifierTable(path: path, kind: kind) }
  }

  @Test("what is written is read, in both directions")
  func roundTrip() throws {
    let writer = try IdentifierTableWriter(
      folder: folder.path, kind: .items, columns: [.title, .categories, .text])
    try writer.append(id: "B00 α", values: ["A\ttitle\nof two lines", "Toys | Games", ""])
    try writer.append(id: "007", values: ["", "", "text"])
    #expect(try folder.files.allSatisfy { $0 != "items.tsv" })
    try writer.finish()
    let table = try IdentifierTable(path: folder.path("items.tsv"), kind: .items)
    #expect(table.count == 2 && table.columns == [.title, .categories, .text])
    #expect(table.id(of: 0) == "B00 α" && table.id(of: 1) == "007")
    #expect(table.dense(of: "B00 α") == 0 && table.dense(of: "007") == 1)
    #expect(table.dense(of: "7") == nil && table.dense(of: "") == nil)
    #expect(table.value(.title, of: 0) == "A title of two lines")
    #expect(table.value(.title, of: 1) == nil && table.value(.text, of: 1) == "text")
    #expect(table.categories(of: 0) == ["Toys", "Games"] && table.categories(of: 1) == [])
    expect(problem { try writer.append(id: "a\tb", values: ["", "", ""]) }, says: "'a?b'", "tab")
    expect(problem { try writer.append(id: "", values: ["", "", ""]) }, says: "one character")
  }

  @Test("many ids are found, and those of a table in another order too")
  func findsAll() throws {
    let rows = (0..<5000).map { "id-\(($0 * 7919) % 5000)\t\($0)" }
    let text = "user_id\tuserID\n" + rows.reversed().joined(separator: "\r\n")
    let table = try IdentifierTable(path: folder.write(text, to: "u_id_mapping.csv"), kind: .users)
    #expect(table.count == 5000)
    for dense in 0..<5000 {
      #expect(table.id(of: dense) == "id-\((dense * 7919) % 5000)")
      #expect(table.dense(of: table.id(of: dense)) == dense)
    }
  }

  @Test("a damaged table is refused with its line")
  func refusesDamage() throws {
    expect(try refusal(""), says: "should begin with the header")
    expect(try refusal("userID,id\n0,a\n"), says: "table:1", "separated by a tab")
    expect(try refusal("userID\tid\n"), says: "no ids")
    expect(try refusal("userID\tid\n0\ta\n1\n"), says: "table:3", "1 columns", "2 (")
    expect(try refusal("userID\tid\n0\ta\n2\tb\n"), says: "table:3", "dense id 2", "1 belongs here")
    expect(try refusal("userID\tid\n0\ta\nx\tb\n"), says: "table:3", "'x'", "whole number")
    expect(try refusal("userID\tid\n0\ta\n1\t\n"), says: "table:3", "empty user id")
    expect(try refusal("userID\tid\n0\ta\n1\tb\n2\ta\n"), says: "table:4", "'a' of line 2")
    expect(try refusal("user_id\tuserID\na\t0\nb\t0\n"), says: "table:3", "repeats", "line 2")
    expect(try refusal("user_id\tuserID\na\t0\nb\t7\n"), says: "table:3", "dense id 7", "2 rows")
    expect(try refusal("user_id\tuserID\na\t1\na\t0\n"), says: "table:3", "'a' of line 2")
    expect(
      try refusal("itemID\tid\ttitle\ttitle\n0\ta\tb\tc\n", kind: .items), says: "two columns")
    let path = try folder.write(Array("userID\tid\n0\t".utf8) + [0xFF, 0x0A], to: "bytes")
    expect(
      problem { try IdentifierTable(path: path, kind: .users) }, says: "bytes:2", "not UTF-8")
  }

  @Test("a folder's tables are found: its own, or MMRec's")
  func findsFiles() throws {
    try folder.write("", to: "a.inter")
    try folder.write("", to: "i_id_mapping.csv")
    var description = try DatasetDescription.read(folder: folder.path)
    #expect(description.itemsFile == "i_id_mapping.csv" && description.usersFile == nil)
    try folder.write("", to: "items.tsv")
    try folder.write("users: elsewhere.tsv\n", to: "dataset.yaml")
    description = try DatasetDescription.read(folder: folder.path)
    #expect(description.itemsFile == "items.tsv" && description.usersFile == "elsewhere.tsv")
  }
}
