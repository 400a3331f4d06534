import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// Folders appear whole or not at all, and ids are kept where that is asked for.
@Suite struct FolderTests {
  @Test("an import that is stopped leaves nothing")
  func stopped() throws {
    let text = "user,item\n" + (0..<300_000).map { "u\($0),i\n" }.joined()
    let observer = RecordingObserver()
    observer.stopsAt = 3
    let error = try #require(try Imported.refusal(Array(text.utf8), observer: observer))
    #expect(error.message == "was stopped")
  }

  @Test("a folder with files is replaced only on request")
  func overwrite() throws {
    let folder = try TemporaryFolder()
    var options = DataImport.Options(
      source: try folder.write("user,item\na,x\n", to: "r.csv"), out: folder.path("set"))
    let run = { _ = try DataImport.run(options, observer: RecordingObserver()) }
    try run()
    #expect(throws: DatasetError.self) { try run() }
    try folder.write("user,item\na,x\nb,y\n", to: "r.csv")
    options.replacesExisting = true
    let again = options
    _ = try DataImport.run(again, observer: RecordingObserver())
    #expect(try folder.text("set/users.tsv") == "userID\tid\n0\ta\n1\tb\n")
    #expect(try folder.files == ["r.csv", "set"])
  }

  @Test("a folder is not replaced by what is made of its own files")
  func ownFolder() throws {
    let folder = try TemporaryFolder(name: "set")
    let source = try folder.write("user,item\na,x\n", to: "r.csv")
    for (source, out) in [(source, folder.path), (folder.path, folder.path), (source, source)] {
      var options = DataImport.Options(source: source, out: out)
      options.replacesExisting = true
      #expect(throws: DatasetError.self) {
        try DataImport.run(options, observer: RecordingObserver())
      }
      #expect(try folder.files == ["r.csv"])
    }
  }

  @Test("a folder with .inter and other ids than numbers can be numbered")
  func numberedFolder() throws {
    let bytes = Array("userID\titemID\na\tx\n".utf8)
    #expect(throws: DatasetError.self) { try Imported(["s.inter": bytes], source: ".") }
    let imported = try Imported(["s.inter": bytes], source: ".") { options, _ in
      options.format = .tsv
    }
    #expect(try imported.users == "userID\tid\n0\ta\n")
  }

  @Test("the same source gives the same bytes")
  func sameBytes() throws {
    let text = "user,item,rating\n" + (0..<500).map { "\($0 % 7),\($0 % 31),1\n" }.joined()
    let (one, two) = (try Imported(text), try Imported(text))
    for file in ["set.inter", "users.tsv", "items.tsv", "dataset.yaml"] {
      #expect(try one.text(file) == two.text(file))
    }
  }

  @Test("ids are kept with --keep-ids, and must be whole numbers without large gaps")
  func keptIDs() throws {
    let imported = try Imported("user,item\n3,1\n0,2\n") { $0.keepsIDs = true }
    #expect(try imported.interactions == "userID\titemID\n3\t1\n0\t2\n")
    #expect(try imported.users == "userID\tid\n0\t0\n1\t1\n2\t2\n3\t3\n")
    #expect(try imported.items == "itemID\tid\n0\t0\n1\t1\n2\t2\n")
    let observer = RecordingObserver()
    _ = try #require(
      try Imported.refusal(
        Array("user,item\nA,1\n-1,2\n99999999999,1\n2147483647,1\n".utf8), observer: observer
      ) { $0.keepsIDs = true })
    #expect(observer.warnings.count == 4)
    #expect(observer.warnings.allSatisfy { $0.contains("ids that are kept are whole numbers") })
    let sparse = try #require(
      try Imported.refusal("user,item\n2000000,1\n") { $0.keepsIDs = true })
    #expect(sparse.message.contains("leave out --keep-ids"), "\(sparse)")
  }

  @Test("a folder in which nothing is clear is refused with its files")
  func unclear() throws {
    let folder = try TemporaryFolder()
    for name in ["a.csv", "b.csv"] { try folder.write("user,item\na,b\n", to: name) }
    let options = DataImport.Options(source: folder.path, out: folder.path("set"))
    let error = #expect(throws: DatasetError.self) {
      try DataImport.run(options, observer: RecordingObserver())
    }
    #expect(error?.message.contains("a.csv, b.csv") == true, "\(String(describing: error))")
    #expect(try folder.files == ["a.csv", "b.csv"])
  }

  @Test("titles, categories and texts are kept on one line, for items that occur")
  func itemTexts() throws {
    let imported = try Imported([
      "r.csv": Array("user,item\na,x\na,y\na,z\n".utf8),
      "meta.json": Array(
        """
        {"asin": "y", "title": "Tab\\there", "category": ["A", "B", "A"], "text": ["a\\nb", "c"]}
        {"asin": "other", "title": "Unused"}
        {"asin": "y", "title": "A second one"}
        {"asin": "x", "title": null}
        """.utf8),
    ]) { options, folder in options.items = "\(folder)/meta.json" }
    #expect(
      try imported.items
        == "itemID\tid\ttitle\tcategories\ttext\n"
        + "0\tx\t\t\t\n1\ty\tTab here\tA | B\ta b c\n2\tz\t\t\t\n"
    )
    #expect(imported.summary.describedItems == 1)
    #expect(try !imported.folder.files.contains("items.texts"))
  }

  @Test("a folder that is imported again keeps its ids, titles, categories and texts")
  func importedAgain() throws {
    let imported = try Imported([
      "r.csv": Array("user,item\nAnn,x\nBob,y\n".utf8),
      "meta.csv": Array("item_id,title,genres\nx,Up,A|B\ny,,C\n".utf8),
    ]) { options, folder in options.items = "\(folder)/meta.csv" }
    let out = imported.folder.path("again")
    let options = DataImport.Options(source: imported.folder.path("set"), out: out)
    _ = try DataImport.run(options, observer: RecordingObserver())
    for file in ["users.tsv", "items.tsv"] {
      #expect(try imported.folder.text("again/\(file)") == imported.text(file))
    }
    #expect(try imported.items == "itemID\tid\ttitle\tcategories\n0\tx\tUp\tA | B\n1\ty\t\tC\n")
    // A new description comes first.
    var newer = DataImport.Options(
      source: imported.folder.path("set"), out: imported.folder.path("newer"))
    newer.items = try imported.folder.write("item_id,title\ny,Jaws\n", to: "newer.csv")
    let described = newer
    _ = try DataImport.run(described, observer: RecordingObserver())
    #expect(
      try imported.folder.text("newer/items.tsv")
        == "itemID\tid\ttitle\tcategories\n0\tx\tUp\tA | B\n1\ty\tJaws\t\n")
  }

  @Test("a description that is not UTF-8 is refused, and one of other items is a warning")
  func unusableItems() throws {
    let rows = Array("user,item\na,x\n".utf8)
    let latin = Array("item_id,title\nx,Caf".utf8) + [0xE9, 0x0A]
    let python = Array("{'asin': 'x', 'title': 'Caf".utf8) + [0xE9] + Array("'}\n".utf8)
    for bytes in [latin, python] {
      let folder = try TemporaryFolder()
      try folder.write(rows, to: "r.csv")
      try folder.write(bytes, to: "items")
      var options = DataImport.Options(source: folder.path("r.csv"), out: folder.path("set"))
      options.items = folder.path("items")
      let (refused, observer) = (options, RecordingObserver())
      #expect(throws: DatasetError.self) { try DataImport.run(refused, observer: observer) }
      #expect(observer.warnings.first?.contains("iconv -f windows-1252") == true)
      #expect(try folder.files == ["items", "r.csv"])
    }
    let files: KeyValuePairs = [
      "r.csv": rows, "items": Array("id,title,code,price\n1,Up,x,3\n".utf8),
    ]
    let other = try Imported(files) { options, folder in options.items = "\(folder)/items" }
    #expect(other.observer.notices.contains("not used of items: 'code', 'price'"))
    #expect(
      other.observer.warnings == [
        "0 of 1 items are described by items: it took 'id' as the item, such as '1'; if another "
          + "column has the ids of the interactions, name it with --item-id-column"
      ])
    let named = try Imported(files) { options, folder in
      options.items = "\(folder)/items"
      options.itemIDColumn = "code"
    }
    #expect(try named.items == "itemID\tid\ttitle\n0\tx\tUp\n")
    #expect(named.observer.warnings.isEmpty)
  }

  @Test("printed Python dictionaries and CSV describe items as well")
  func otherItemFiles() throws {
    let python = "{'asin': 'x', 'title': u'Caf\\u00e9 \"A\"', 'categories': [['P', 'Q'], ['P']]}\n"
    let table = "movieId,title,genres\nx,\"Café \"\"A\"\"\",P|Q\n"
    for text in [python, table] {
      let imported = try Imported([
        "r.csv": Array("user,item\na,x\n".utf8), "items": Array(text.utf8),
      ]) { options, folder in options.items = "\(folder)/items" }
      #expect(try imported.items == "itemID\tid\ttitle\tcategories\n0\tx\tCafé \"A\"\tP | Q\n")
    }
  }
}
