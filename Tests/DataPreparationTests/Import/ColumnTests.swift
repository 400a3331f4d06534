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

  @Test("a column with times is taken by its name and first value, and what is not used is said")
  func guessedTime() throws {
    let csv = "user,item,note,purchased_at\na,x,hello,2014-07-23\n"
    let json =
      "{\"user\": \"a\", \"item\": \"x\", \"note\": \"hello\", \"purchased_at\": \"2014-07-23\"}\n"
    for text in [csv, json] {
      let imported = try Imported(text)
      #expect(
        try imported.interactions == "userID\titemID\ttimestamp\n0\t0\t1406073600\n")
      #expect(imported.observer.notices.contains("not used: 'note'"))
    }
    // Names alone do not decide, nor do values alone, and two columns are a question.
    let price = try Imported("user,item,time_spent,when\na,x,12,2014-07-23\n")
    #expect(try price.interactions == "userID\titemID\n0\t0\n")
    #expect(
      price.observer.notices.contains(
        "not used: 'time_spent', 'when' (looks like times: --time-column when)"),
      "\(price.observer.notices)")
    let two = try Imported("user,item,sent_at,read_at\na,x,2014-07-23,2014-07-24\n")
    #expect(try two.interactions == "userID\titemID\n0\t0\n")
    let none = try Imported(csv) { $0.columns.names = [.time: "none"] }
    #expect(try none.interactions == "userID\titemID\n0\t0\n")
    #expect(try Imported("user,item,purchased_at\na,x,\n").summary.rowsRead == 1)
  }

  @Test("lines that are all damaged in one way are not listed one by one")
  func damagedAlike() throws {
    let rows = (0..<50).map { "a\($0),x,good\n" }.joined()
    let observer = RecordingObserver()
    _ = try #require(
      try Imported.refusal(Array("user,item,rating\n\(rows)".utf8), observer: observer))
    #expect(observer.warnings.count == 4, "\(observer.warnings)")
    #expect(
      observer.warnings.last == "all 50 lines are damaged in the same way: is the column of the "
        + "rating the right one? Name another with --rating-column, or leave it out with "
        + "--rating-column none")
    let mixed = RecordingObserver()
    _ = try Imported.refusal(
      Array("user,item,rating\n\(rows)b,x,3\n".utf8), observer: mixed)
    #expect(mixed.warnings.count == 21 && mixed.warnings.last?.hasPrefix("… and 30 more") == true)
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
