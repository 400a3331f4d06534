import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// What every reader of sources must do, whatever is in them: it never traps, takes bounded time
/// and memory, refuses with a message, and what it makes can be read.
@Suite("Damaged sources of data sets")
struct ImportFuzzTests {
  /// Imports a file, and reads what was made.
  private static func verdict(
    _ source: String, into folder: MemoryFolder, items: String? = nil
  ) throws -> FuzzedParser.Verdict {
    var options = DataImport.Options(source: source, out: "\(folder.path)/set")
    options.replacesExisting = true
    options.skipsDamaged = true
    options.items = items
    let observer = RecordingObserver()
    do {
      let summary = try DataImport.run(options, observer: observer)
      let set = "\(folder.path)/set"
      guard try InteractionFile.readRaw("\(set)/set.inter").count == summary.rowsWritten,
        try IdentifierTable(path: "\(set)/users.tsv", kind: .users).count == summary.userCount,
        try IdentifierTable(path: "\(set)/items.tsv", kind: .items).count == summary.itemCount
      else { throw FuzzFailure("\(summary) is not what the folder has") }
    } catch let error as DatasetError {
      guard !error.path.hasSuffix(".inter"), !error.path.hasSuffix("s.tsv") else {
        throw FuzzFailure("the folder cannot be read: \(error)")
      }
      return .refused(error.message)
    }
    if let long = observer.warnings.first(where: { $0.utf8.count > 1024 }) {
      throw FuzzFailure("warned with \(long.utf8.count) bytes")
    }
    return .accepted
  }

  private static let tables = [
    "user_id,parent_asin,rating,timestamp\nA,B,4.0,1577836800123\n"
      + "\"A, \"\"x\"\"\",C,5,2014-07-23\n",
    "A1YS9MDZP93857,0006428320,3.0,1394496000\nA1,0,1,10\n",
    "user;item;rating\r\na;b;4,5\r\nc;\"d\ne\";1e2\r\n", "1::2::3::978300760\n4::5::6::978300761\n",
    "7 30 5\n9 30\n", "7:30 5\n9:30\n", "2 30 5\n1 30\n",
    "u1\t11 12 11\nu2\t12\n", "user_id:token\titem_id:token\trating:float\n1\t\"9\t4\n",
    "\u{FEFF}userID\titemID\tx_label\n0\t1\t0\n1\t0\t2.0\n",
  ]

  private static let words = [
    ",", ";", "\t", "::", "|", " ", "\n", "\r\n", "\r", "\"", "\"\"", "\",\"", "\u{FEFF}", "\0",
    "nan",
    "1e999", "-", "user", "item_id", ":token", "x_label", "2014-07-23T10:20:30.5+02:00",
    "99999999999999999999", "-9223372036854775808", "é", "{", "[",
  ]

  @Test("tables")
  func tables() throws {
    let folder = try MemoryFolder()
    let file = try MemoryFile("source.csv")
    try FuzzRun.run(
      .file(
        "import-tables", inputs: InputMutator(texts: Self.tables, words: Self.words), rounds: 700
      ) { bytes in
        try file.write(bytes)
        return try Self.verdict(file.path, into: folder)
      })
  }

  private static let objects = [
    "{\"reviewerID\": \"A1\", \"asin\": \"B\\u00e9\", \"overall\": 5.0, \"unixReviewTime\": 1}\n"
      + "{\"asin\": \"C\", \"reviewerID\": 7, \"overall\": 1, \"unixReviewTime\": 1400000000123}\n",
    "{'user': 'A', 'item': u'B\\xe9', 'rating': 5.5, 'title': [['a'], \"b\"], 'x': None}\n",
  ]

  @Test("objects, and descriptions of items")
  func objects() throws {
    let folder = try MemoryFolder()
    let source = try MemoryFile("reviews.json")
    let items = try MemoryFile("meta.json")
    let descriptions = [
      "{\"asin\": \"C\", \"title\": \"Tab\\there\", \"category\": [\"A\", [\"B\"]]}\n",
      "{'asin': 'C', 'title': u'It\\'s', 'categories': [['A', 'B']], 'price': 1e5}\n",
      "item,title,genres\nC,\"a,\"\"b\",x|y\n", "item_id:token\ttitle:token_seq\nC\tTitle\n",
    ]
    let samples = Self.objects.flatMap { object in
      descriptions.map { [Array(object.utf8), Array($0.utf8)] }
    }
    let words = Self.words + ["null", "true", "\\ud800", "\\", "'", "u'", "}", "]", "[[[[[[", ":"]
    try FuzzRun.run(
      FuzzedParser(
        "import-objects", inputs: InputMutator(samples: samples, words: words), rounds: 500
      ) { parts, _ in
        try source.write(parts[0])
        try items.write(parts[1])
        return try Self.verdict(source.path, into: folder, items: items.path)
      })
  }

  @Test("archives")
  func archives() throws {
    let folder = try MemoryFolder()
    let file = try MemoryFile("source.csv")
    let text = Array(Self.tables[0].utf8)
    let inputs = InputMutator(files: [
      try Archives.gzip(text), try Archives.gzip(text) + Archives.gzip(text),
      try Archives.zstd(text), try Archives.zstd(text) + Archives.zstd(text),
    ])
    try FuzzRun.run(
      .file("import-archives", inputs: inputs, rounds: 700) { bytes in
        try file.write(bytes)
        return try Self.verdict(file.path, into: folder)
      })
  }

  @Test("lists of items by user")
  func lists() throws {
    let folder = try MemoryFolder()
    let source = try MemoryFolder(name: "lists")
    let files = try ["train.json", "val.json", "test.json"].map { try MemoryFile($0, in: source) }
    let samples = [
      ["{\"0\": [1, 2], \"1\": [0]}", "{\"0\": [3], \"1\": []}", "{\"1\": [\"4\"]}"],
      ["{\"a\": [\"x\"]}", "{}", "{\"a\": [\"y\", 1]}"],
    ].map { $0.map { Array($0.utf8) } }
    try FuzzRun.run(
      FuzzedParser(
        "import-lists",
        inputs: InputMutator(
          samples: samples,
          words: ["{", "}", "[", "]", ",", ":", "\"", "-1", "99999999999", "null"]),
        rounds: 500
      ) { parts, _ in
        for (file, part) in zip(files, parts) { try file.write(part) }
        return try Self.verdict(source.path, into: folder)
      })
  }
}
