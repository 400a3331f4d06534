import DataPreparation
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// Each format of sources, as it is published.
@Suite struct FormatTests {
  @Test("CSV with a header")
  func csv() throws {
    let imported = try Imported("userId,movieId,rating,timestamp\n7,a,4.5,964982703\n9,a,3,1\n")
    #expect(
      try imported.interactions
        == "userID\titemID\trating\ttimestamp\n0\t0\t4.5\t964982703\n1\t0\t3\t1\n")
    #expect(try imported.users == "userID\tid\n0\t7\n1\t9\n")
    #expect(try imported.items == "itemID\tid\n0\ta\n")
    #expect(!imported.summary.hasSplit)
    #expect(
      imported.observer.notices.contains {
        $0.contains("'userId' as the user, 'movieId' as the item")
      })
  }

  @Test(
    "other delimiters are found",
    arguments: ["\t", ";", "|", "::", " "])
  func delimiters(delimiter: String) throws {
    let lines = ["1", "2"].map { ["u\($0)", "i1", "5", "978300760"].joined(separator: delimiter) }
    let imported = try Imported(lines.joined(separator: "\n") + "\n", name: "ratings.dat")
    #expect(
      try imported.interactions
        == "userID\titemID\trating\ttimestamp\n0\t0\t5\t978300760\n1\t0\t5\t978300760\n")
    #expect(try imported.users == "userID\tid\n0\tu1\n1\tu2\n")
  }

  @Test("a decimal comma in a file with semicolons")
  func decimalComma() throws {
    let imported = try Imported("user;item;rating\na;b;4,5\n")
    #expect(try imported.interactions == "userID\titemID\trating\n0\t0\t4.5\n")
  }

  @Test("Amazon 2014: user, item, rating, time")
  func amazon2014() throws {
    let row = "A1YS9MDZP93857,0006428320,3.0,1394496000\n"
    for format in [nil, SourceFormat.amazon2014] {
      let imported = try Imported(row, name: "ratings_Music.csv") { $0.format = format }
      #expect(try imported.users == "userID\tid\n0\tA1YS9MDZP93857\n")
      #expect(try imported.items == "itemID\tid\n0\t0006428320\n")
      #expect(try imported.interactions.hasSuffix("\n0\t0\t3.0\t1394496000\n"))
    }
  }

  @Test("Amazon 2018: item, user, rating, time")
  func amazon2018() throws {
    let row = "0449819906,A3HWLJJBR6BKWC,4.0,1427155200\n"
    for format in [nil, SourceFormat.amazon2018] {
      let imported = try Imported(row, name: "Arts.csv") { $0.format = format }
      #expect(try imported.users == "userID\tid\n0\tA3HWLJJBR6BKWC\n")
      #expect(try imported.items == "itemID\tid\n0\t0449819906\n")
    }
  }

  @Test("Amazon 2023: parent_asin and milliseconds")
  func amazon2023() throws {
    let imported = try Imported(
      "user_id,parent_asin,rating,timestamp\nAEYOR,B08QVLYF2S,4.0,1577836800123\n")
    #expect(try imported.interactions.hasSuffix("\n0\t0\t4.0\t1577836800.123\n"))
    #expect(imported.observer.notices.contains { $0.contains("milliseconds") })
  }

  @Test("reviews as JSON lines; nested values are ignored")
  func jsonLines() throws {
    let imported = try Imported(
      """
      {"reviewerID": "A1", "asin": "B1", "helpful": [0, 1], "overall": 5.0, "unixReviewTime": 10}
      {"asin": "B2", "reviewerID": "A\\u00e9", "x": {"y": 1}, "overall": 4, "unixReviewTime": 11}
      """, name: "reviews.json")
    #expect(
      try imported.interactions
        == "userID\titemID\trating\ttimestamp\n0\t0\t5.0\t10\n1\t1\t4\t11\n")
    #expect(try imported.users == "userID\tid\n0\tA1\n1\tAé\n")
  }

  @Test("reviews as printed Python dictionaries")
  func pythonLines() throws {
    let imported = try Imported(
      "{'reviewerID': 'A1', 'asin': u'B\\xe9', 'overall': 5.0, 'reviewText': \"It's\"}\n",
      name: "reviews.json")
    #expect(try imported.interactions == "userID\titemID\trating\n0\t0\t5.0\n")
  }

  @Test("RecBole's atomic file with its description of items")
  func recbole() throws {
    let imported = try Imported([
      "ml.inter": Array("user_id:token\titem_id:token\trating:float\n1\t\"9\t4\n".utf8),
      "ml.item": Array(
        ("item_id:token\tmovie_title:token_seq\tclass:token_seq\n"
          + "\"9\tToy Story\tComedy Kids\n").utf8),
    ])
    #expect(try imported.interactions == "userID\titemID\trating\n0\t0\t4\n")
    #expect(try imported.items == "itemID\tid\ttitle\tcategories\n0\t\"9\tToy Story\tComedy Kids\n")
    #expect(imported.summary.format == .recbole)
  }

  @Test("RecBole's benchmark of three files becomes one set with labels")
  func benchmark() throws {
    let header = "user_id:token\titem_id:token\n"
    let imported = try Imported(
      [
        "ml.train.inter": Array("\(header)a\tx\na\ty\n".utf8),
        "ml.valid.inter": Array("\(header)a\tz\n".utf8),
        "ml.test.inter": Array("\(header)b\tx\n".utf8),
      ], source: ".")
    #expect(
      try imported.interactions == "userID\titemID\tx_label\n0\t0\t0\n0\t1\t0\n0\t2\t1\n1\t0\t2\n")
    #expect(imported.summary.hasSplit)
    let folder = try TemporaryFolder()
    try folder.write(header, to: "ml.train.inter")
    #expect(throws: DatasetError.self) {
      try DataImport.run(
        .init(source: folder.path, out: folder.path("set")), observer: RecordingObserver())
    }
  }

  @Test("MMRec's folder keeps its ids, features and original ids", arguments: [true, false])
  func mmrec(hasAllIDs: Bool) throws {
    let features = try TemporaryFolder()
    try NPYWriter.write(
      Matrix(rows: 4, columns: 2, elements: (0..<8).map { Float($0) }), to: features.path("f"))
    let array = try features.read("f")
    let last = hasAllIDs ? "B3\t3\n" : ""
    let imported = try Imported(
      [
        "baby.inter": Array(
          "userID\titemID\trating\ttimestamp\tx_label\n1\t2\t5.0\t9\t0\n0\t0\t1.0\t8\t2\n".utf8),
        "image_feat.npy": array,
        "i_id_mapping.csv": Array("asin\titemID\nB1\t1\nB0\t0\nB2\t2\n\(last)".utf8),
        "u_id_mapping.csv": Array("user_id\tuserID\nA0\t0\nA1\t1\n".utf8),
      ], source: ".")
    #expect(
      try imported.interactions
        == "userID\titemID\trating\ttimestamp\tx_label\n1\t2\t5.0\t9\t0\n0\t0\t1.0\t8\t2\n")
    #expect(try imported.users == "userID\tid\n0\tA0\n1\tA1\n")
    // Item 3 has features and no interactions.
    let prefix = hasAllIDs ? "B" : ""
    #expect(
      try imported.items == "itemID\tid\n" + (0..<4).map { "\($0)\t\(prefix)\($0)\n" }.joined())
    #expect(imported.observer.warnings.isEmpty == hasAllIDs)
    #expect(try imported.folder.read("set/image_feat.npy") == array)
  }

  @Test("LATTICE's train.json, val.json and test.json, in the folder or in 5-core")
  func jsonSplit() throws {
    let folder = try TemporaryFolder(name: "baby")
    for inner in ["a", "b/5-core"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(inner), withIntermediateDirectories: true)
      try folder.write("{\"0\": [1, 2],\n \"1\": [0]}", to: "\(inner)/train.json")
      try folder.write("{\"0\": [3], \"1\": []}", to: "\(inner)/val.json")
      try folder.write("{\"1\": [\"4\"]}", to: "\(inner)/test.json")
    }
    for source in ["a", "b"] {
      let summary = try DataImport.run(
        .init(source: folder.path(source), out: folder.path("\(source)-set")),
        observer: RecordingObserver())
      #expect(
        try folder.text("\(source)-set/\(source)-set.inter")
          == "userID\titemID\tx_label\n0\t1\t0\n0\t2\t0\n1\t0\t0\n0\t3\t1\n1\t4\t2\n")
      #expect(summary.itemCount == 5 && summary.hasSplit)
    }
  }

  @Test("MicroLens pairs, with their titles")
  func pairs() throws {
    let imported = try Imported([
      "M_pairs.tsv": Array("u1\t11 12 11\nu2\t12\n".utf8),
      "M_titles.csv": Array("item,title\n12,\"Two, too\"\n".utf8),
    ])
    #expect(
      try imported.interactions
        == "userID\titemID\ttimestamp\n0\t0\t0\n0\t1\t1\n0\t0\t2\n1\t1\t3\n")
    #expect(try imported.items == "itemID\tid\ttitle\n0\t11\t\n1\t12\tTwo, too\n")
    #expect(imported.summary.describedItems == 1)
  }

  @Test("what was imported can be read, and says how it was made")
  func readBack() throws {
    let imported = try Imported("user,item,x_label\na,x,0\na,y,1\nb,z,0\nb,x,2\n")
    let set = try Dataset.load(
      folder: imported.folder.path("set"), needsFeatures: false)
    #expect(set.userCount == 2 && set.itemCount == 3)
    let description = try DatasetDescriptionFile.read(folder: imported.folder.path("set"))
    #expect(description.users == "users.tsv" && description.items == "items.tsv")
    let step = try #require(description.history.steps.first)
    #expect(step.name == "import" && step["source"] == "ratings.csv" && step["rows_read"] == "4")
  }
}
