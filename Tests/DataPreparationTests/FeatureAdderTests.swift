import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// Features from files of every kind, matched by id.
@Suite struct FeatureAdderTests {
  private let folder: TemporaryFolder
  private let sources: TemporaryFolder

  /// Four items, `a` to `d`.
  init() throws {
    folder = try TemporaryFolder(name: "shop")
    sources = try TemporaryFolder()
    try folder.write(
      "userID\titemID\tx_label\n0\t0\t0\n0\t1\t0\n1\t1\t0\n1\t2\t1\n2\t2\t0\n2\t3\t2\n",
      to: "shop.inter")
    try folder.write("itemID\tid\n0\ta\n1\tb\n2\tc\n3\td\n", to: "items.tsv")
  }

  @discardableResult
  private func add(
    _ source: String, ids: String? = nil, fill: FeatureFill = .zero, replaces: Bool = false
  ) throws -> FeatureReport {
    let addition = FeatureAddition(modality: "text", source: source, ids: ids, fill: fill)
    return try FeatureAdder.add(
      [addition], to: folder.path, replacesExisting: replaces
    ) { _, _ in }[0]
  }

  /// The feature rows that the folder has now.
  private func rows() throws -> [[Float]] {
    let file = try NPYFile(path: folder.path("text_feat.npy"))
    return (0..<file.rows).map { row in
      [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
        if let base = buffer.baseAddress { file.copyRow(row, to: base) }
        count = file.columns
      }
    }
  }

  private func refusal(_ text: String, name: String = "x.csv") throws -> String {
    let path = try sources.write(text, to: name)
    do {
      try add(path)
      Issue.record("accepted: \(text)")
      return ""
    } catch {
      #expect(try folder.files == ["items.tsv", "shop.inter"], "something was left")
      return "\(error)"
    }
  }

  @Test(
    "text with an id and numbers in each line, in any order and layout",
    arguments: [
      "id,v0,v1\nd,7,8\nb,3,4\na,1,2\nc,5,6\n",
      "d,7,8\nb,3,4\r\na,1.0,2e0\nc,5,+6",
      "d\t7\t8\nb\t3\t4\na\t1\t2\nc\t5\t6\n",
      "a 1 2\nb 3 4\nc 5 6\nd 7 8\n",
      "asin,embedding\na,\"[1, 2]\"\nb,\"[3, 4]\"\nc,\"[5, 6]\"\nd,\"[7, 8]\"\n",
      "id\tembedding\na\t[1 2]\nb\t[3 4]\nc\t[5  6]\nd\t[7 8 ]\n",
      ",0,1\na,1,2\nb,3,4\nc,5,6\nd,7,8\n",
      "\"a\",1,2\n\"b\",3,4\n\n\"c\",5,6\n\"d\",7,8\n",
      """
      {"id": "a", "embedding": [1, 2]}
      {"embedding": [5, 6.0], "id": "c", "title": "x"}
      {"id": "d", "embedding": [7, 8]}
      {"id": "b", "embedding": [3, 4]}

      """,
    ])
  func text(_ text: String) throws {
    let report = try add(sources.write(text, to: "x"))
    #expect(report.presentCount == 4 && report.columns == 2 && report.unknownCount == 0)
    #expect(try rows() == [[1, 2], [3, 4], [5, 6], [7, 8]])
    #expect(try !folder.files.contains("text_mask.npy"))
  }

  @Test("items without features get zeros or the mean, and a mask", arguments: FeatureFill.allCases)
  func fills(_ fill: FeatureFill) throws {
    let path = try sources.write("d,7,8\nzzz,9,9\na,1,2\na,1,2\n", to: "x.csv")
    let report = try add(path, fill: fill)
    #expect(report.presentCount == 2 && report.unknownCount == 1 && report.repeatedCount == 1)
    let filling: [Float] = fill == .zero ? [0, 0] : [4, 5]
    #expect(try rows() == [[1, 2], filling, filling, [7, 8]])
    let mask = try FeatureMask.read(folder.path("text_mask.npy"), itemCount: 4)
    #expect(mask.isPresent == [true, false, false, true])
    let description = try DatasetDescription.read(folder: folder.path)
    #expect(
      description.modalities
        == [.init(name: "text", file: "text_feat.npy", mask: "text_mask.npy", fill: fill)])
    #expect(description.history.steps.last?["items"] == "2 of 4")
    #expect(description.history.steps.last?["fill"] == fill.rawValue)
    #expect(report.lines[0].contains("2 of 4 items"))
    // Complete features in their place need no mask.
    try add(sources.write("a,1\nb,2\nc,3\nd,4\n", to: "y.csv"), replaces: true)
    #expect(try rows() == [[1], [2], [3], [4]])
    #expect(try !folder.files.contains("text_mask.npy"))
  }

  @Test("the order of the source does not change the files")
  func isIndependentOfOrder() throws {
    let lines = ["a,0.1,1e-3", "d,0.7,5", "b,3.3,-4"]
    var seen: Set<[UInt8]> = []
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
      let text = order.map { lines[$0] + "\n" }.joined()
      try add(sources.write(text, to: "x.csv"), fill: .mean, replaces: true)
      seen.insert(try folder.read("text_feat.npy"))
    }
    #expect(seen.count == 1)
  }

  @Test("a line that cannot be used is named, and nothing is written")
  func refusesLines() throws {
    #expect(try refusal("a,1,2\nb,3\n").contains("x.csv:2: has 1 values, but the rows before"))
    #expect(try refusal("a,1,2\nb,x,3\n").contains("x.csv:2: has 'x' as value 1 (column 2)"))
    #expect(try refusal("a,1,2\nb,nan,3\n").contains("x.csv:2: cannot be used: value 1 is nan"))
    #expect(try refusal("a,1,2\nb,3,1e39\n").contains("value 2 is inf"))
    #expect(try refusal("a,1,2\nb,,3\n").contains("x.csv:2: has nothing as value 1 (column 2)"))
    #expect(try refusal("a,1,2\nb,3,\n").contains("x.csv:2: has nothing as value 2 (column 3)"))
    #expect(try refusal("id,v1,v2\na,1,x\n").contains("'x' as value 2 (column 3, 'v2')"))
    #expect(try refusal("id,v\na,\"[1, x]\"\n").contains("has 'x' as value 2, which"))
    #expect(try refusal("a,1,2\nb\n").contains("x.csv:2: has an id, but no numbers"))
    #expect(try refusal("a,1,2\na,1,3\n").contains("x.csv:2: has other values for the id 'a'"))
    #expect(try refusal("a,1\n\"b,2\n").contains("x.csv:2: has a quote that is not closed"))
    #expect(try refusal("n,asin,v\n0,a,1\n").contains("second column"))
    #expect(try refusal("x,1,2\ny,1,2\n").contains("its ids look like 'x', those of the data set"))
    #expect(try refusal("id,v\n").contains("holds no features"))
    let json = "{\"id\": \"a\", \"embedding\": [1]}\n"
    for (line, part) in [
      ("{\"id\": \"b\"}", "no list of numbers"), ("{\"embedding\": [1]}", "has no 'id'"),
      ("{\"id\": \"b\", \"embedding\": [\"x\"]}", "something else than a number as value 1"),
      ("{\"id\": \"b\", \"embedding\": [1]", "is not a JSON object"),
      ("[1]", "does not begin with '{'"),
      ("{\"id\": 1.5, \"embedding\": [1]}", "neither a text nor a whole number"),
      ("{\"id\": \"\", \"embedding\": [1]}", "has no id"),
    ] {
      let message = try refusal(json + line + "\n", name: "x.jsonl")
      #expect(message.contains("x.jsonl:2: ") && message.contains(part), "\(message)")
    }
  }

  @Test("a header may have numbers for names, and a damaged first row is no header")
  func firstLines() throws {
    try add(sources.write("\n\nitem_id,0,1\na,1,2\n", to: "x.csv"))
    #expect(try rows()[0] == [1, 2])
    let damaged = try sources.write("a,1,oops\nb,3,4\n", to: "y.csv")
    let error = #expect(throws: DatasetError.self) { try add(damaged, replaces: true) }
    #expect(error?.line == 1 && error?.message.contains("has 'oops' as value 2") == true)
  }

  @Test("features that are there are replaced only on request, and neighbours are not forgotten")
  func replaces() throws {
    let path = try sources.write("a,1\nb,2\n", to: "x.csv")
    try add(path)
    #expect(throws: DatasetError.self) { try add(path) }
    try folder.write("", to: "text_knn10.npy")
    let error = #expect(throws: DatasetError.self) { try add(path, replaces: true) }
    #expect(error?.path.hasSuffix("text_knn10.npy") == true)
    #expect(try rows() == [[1], [2], [0], [0]])
  }

  @Test("a copy has everything of the folder, and the folder itself does not change")
  func copies() throws {
    let before = try folder.files
    let target = sources.path("copy")
    let path = try sources.write("a,1\n", to: "x.csv")
    let addition = FeatureAddition(modality: "audio", source: path)
    _ = try FeatureAdder.add(
      [addition], toCopyOf: folder.path, at: target, overwrites: false
    ) { _, _ in }
    #expect(try folder.files == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: target).sorted() == [
        "audio_feat.npy", "audio_mask.npy", "dataset.yaml", "items.tsv", "shop.inter",
      ])
    #expect(DatasetValidation.validate(folder: target).isUsable)
    #expect(try DatasetDescription.read(folder: target).interactionsFile == "shop.inter")
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      _ = try FeatureAdder.add(
        [addition], toCopyOf: folder.path, at: sources.path("other"), overwrites: false
      ) { _, _ in throw Stop() }
    }
    #expect(try sources.files == ["copy", "x.csv"])
    // A copy over the folder itself would take away what it is made from.
    for place in [folder.path, folder.path + "/.", folder.path + "/../"] {
      let error = #expect(throws: DatasetError.self) {
        _ = try FeatureAdder.add(
          [addition], toCopyOf: folder.path, at: place, overwrites: true
        ) { _, _ in }
      }
      #expect(error?.message.contains("which is read") == true)
    }
    #expect(try folder.files == before)
  }

  @Test("a modality cannot be added twice at once")
  func refusesRepetitions() throws {
    let path = try sources.write("a,1\n", to: "x.csv")
    let addition = FeatureAddition(modality: "text", source: path)
    #expect(throws: DatasetError.self) {
      try FeatureAdder.add(
        [addition, addition], to: folder.path, replacesExisting: true
      ) { _, _ in }
    }
    #expect(try folder.files == ["items.tsv", "shop.inter"])
  }

  @Test("without a table of ids, ids are the numbers of items")
  func denseIDs() throws {
    try FileManager.default.removeItem(atPath: folder.path("items.tsv"))
    try add(sources.write("3,7\n0,1\n4,9\n", to: "x.csv"))
    #expect(try rows() == [[1], [0], [0], [7]])
  }
}
