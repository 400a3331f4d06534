import DataPreparation
import Datasets
import TestSupport
import Testing

/// Lines that list the items of a user.
@Suite struct ListTests {
  private static let rows = "userID\titemID\ttimestamp\n0\t0\t0\n0\t1\t1\n1\t0\t2\n"

  @Test(
    "blanks, a colon or a tab after the user; the order is kept",
    arguments: ["7 30 5\n9 30\n", "7:30 5\n9:30\n", "7\t30 5\n9\t30\n", "7  30 5 \r\n8\r\n9 30 \n"])
  func lists(text: String) throws {
    let imported = try Imported(text, name: "train.txt")
    #expect(try imported.interactions == Self.rows)
    #expect(try imported.users == "userID\tid\n0\t7\n1\t9\n")
    #expect(try imported.items == "itemID\tid\n0\t30\n1\t5\n")
    #expect(imported.summary.format == .pairs)
    #expect(imported.observer.notices.contains { $0.contains("--time-column none") })
  }

  @Test("without the order")
  func withoutOrder() throws {
    let imported = try Imported("7 30 5\n9 30\n") { $0.columns.names[.time] = "none" }
    #expect(try imported.interactions == "userID\titemID\n0\t0\n0\t1\n1\t0\n")
  }

  @Test("CiteULike: the number of items, and the line is the user")
  func counted() throws {
    let imported = try Imported("2 30 5\n1 30\n", name: "users.dat")
    #expect(try imported.interactions == Self.rows)
    #expect(try imported.users == "userID\tid\n0\t0\n1\t1\n")
    #expect(imported.summary.format == .countedLists)
  }

  @Test("a wrong number of items is a damaged line, and the next lines keep their users")
  func wrongCount() throws {
    let text = "2 30 5\n3 30\n1 5\n"
    let change: (inout DataImport.Options) -> Void = { $0.format = .countedLists }
    #expect(try Imported.refusal(text, change: change)?.message.contains("1 damaged line") == true)
    let imported = try Imported(text) {
      change(&$0)
      $0.skipsDamaged = true
    }
    #expect(try imported.users == "userID\tid\n0\t0\n1\t2\n")
    #expect(imported.observer.warnings.contains { $0.contains("has 1 items, but begins with '3'") })
  }

  @Test(
    "columns with blanks between them are no lists", arguments: ["1 2 3\n2 2 4\n", "1 2\n1 3\n"])
  func columns(text: String) throws {
    #expect(try Imported(text).summary.format == .delimited)
  }

  @Test("a table in which a line is damaged is no list")
  func damagedTable() throws {
    let error = try Imported.refusal("1 2 3\n1 3\n2 2 4\n2 4 5\n")
    #expect(error?.message.contains("1 damaged line") == true)
  }

  @Test("the order of rows as the time, unless a column has that name")
  func order() throws {
    for text in ["1 2\n1 3\n", "user,item\n1,2\n1,3\n"] {
      let imported = try Imported(text) { $0.columns.names[.time] = "order" }
      #expect(
        try imported.interactions == "userID\titemID\ttimestamp\n0\t0\t0\n0\t1\t1\n")
      let step = try DatasetDescriptionFile.read(folder: imported.folder.path("set")).history.steps[
        0]
      #expect(step["timestamp"] == "order of the rows")
    }
    let named = try Imported("user,item,order\n1,2,50\n") { $0.columns.names[.time] = "order" }
    #expect(try named.interactions.hasSuffix("\n0\t0\t50\n"))
  }

  @Test("lists are not split by a time of all, and each user's last item is the test")
  func split() throws {
    let imported = try Imported("1 5 6 7 8\n2 8 7 6\n")
    let source = imported.folder.path("set")
    let run = { (method: SplitMethod) in
      try DataSplit(method: method, seed: 1).run(
        folder: source, to: imported.folder.path("out"), replacesExisting: false
      ) { _, _ in }
    }
    let error = try #require(throws: DatasetError.self) { try run(.time(.ratios(.standard))) }
    #expect(error.message.contains("no time that users have in common"))
    _ = try run(.leaveOneOut)
    let test = try imported.folder.text("out/set.inter").split(separator: "\n")
      .filter { $0.hasSuffix("\t2") }.map {
        $0.split(separator: "\t").prefix(2).joined(separator: " ")
      }
    // Items are numbered 5, 6, 7, 8: the last of user 1 is 8, of user 2 it is 6.
    #expect(Set(test) == ["0 3", "1 1"])
  }

  @Test("a file of which most lines do not fit was taken for the wrong thing")
  func wrongFormat() throws {
    let text = "a,b,3\n" + (0..<20).map { "c,d,x\($0),5\n" }.joined()
    let message = try Imported.refusal(text)?.message
    #expect(message?.contains("probably written in another way") == true)
    #expect(message?.contains("--skip-damaged") == false)
  }
}
