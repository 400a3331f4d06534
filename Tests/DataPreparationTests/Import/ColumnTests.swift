import DataPreparation
import Datasets
import TestSupport
import Testing

/// Which columns are taken for what.
@Suite struct ColumnTests {
  @Test("columns are named, also in other spellings, and by number")
  func named() throws {
    let text = "who,what,stars,when\na,x,5,2014-07-23\n"
    for names in [("who", "what", "when"), ("WHO", "What", "4"), ("1", "2", "4")] {
      let imported = try Imported(text) {
        $0.columns.names = [.user: names.0, .item: names.1, .time: names.2]
      }
      #expect(
        try imported.interactions == "userID\titemID\trating\ttimestamp\n0\t0\t5\t1406073600\n")
    }
  }

  @Test("a column can be left out")
  func leftOut() throws {
    let imported = try Imported("user,item,rating\na,x,bad\n") {
      $0.columns.names = [.rating: "none"]
    }
    #expect(try imported.interactions == "userID\titemID\n0\t0\n")
  }

  @Test("without a header, columns are known by number and order")
  func noHeader() throws {
    let imported = try Imported("u,i,5\nv,i,4\n")
    #expect(try imported.interactions == "userID\titemID\trating\n0\t0\t5\n1\t0\t4\n")
    #expect(imported.observer.notices[0].hasPrefix("no header: took column 1 as the user"))
    let swapped = try Imported("i,u\nj,u\n") {
      $0.hasHeader = false
      $0.columns.names = [.user: "2", .item: "1"]
    }
    #expect(try swapped.users == "userID\tid\n0\tu\n")
    let timed = try Imported("1,2,978300760\n")
    #expect(try timed.interactions == "userID\titemID\ttimestamp\n0\t0\t978300760\n")
  }

  @Test(
    "columns that cannot be found are refused with a way out",
    arguments: [
      ("who,what\na,x\n", [:], "--user-column NAME"),
      ("user,thing\na,x\n", [:], "--item-column NAME"),
      ("user,item\na,x\n", [.item: "itme"], "did you mean 'item'?"),
      ("user,item\na,x\n", [.rating: "3"], "no column '3'"),
      ("user,item,item\na,x,y\n", [:], "2 columns called 'item'"),
      ("user,item,user\na,x,y\n", [.user: "user"], "--user-column 1"),
      ("user,item\na,x\n", [.item: "user"], "for both the user and the item"),
      ("1,2\n3,4\n", [.user: "7"], "number from 1 to 2"),
      ("1,2\n3,4\n", [.user: "2", .item: "2"], "one column for two purposes"),
    ] as [(String, [ColumnRole: String], String)])
  func refused(text: String, names: [ColumnRole: String], reason: String) throws {
    let error = try #require(try Imported.refusal(text) { $0.columns.names = names })
    #expect(error.kind == .configuration)
    #expect(error.message.contains(reason), "\(error)")
  }

  @Test("a row of JSON that lacks a key is damaged")
  func missingKey() throws {
    let observer = RecordingObserver()
    let text = "{\"user\": 1, \"item\": null}\n{\"user\": 2}\n{\"user\": [1], \"item\": 2}\n"
    _ = try #require(try Imported.refusal(Array(text.utf8), observer: observer))
    #expect(
      observer.warnings == [
        "ratings.csv:1: has an empty item", "ratings.csv:2: has no 'item', which is the item",
        "ratings.csv:3: has no 'user', which is the user",
      ])
  }
}
