import Datasets
import Tensors
import TestSupport
import Testing

@Suite("data sets")
struct DatasetTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(name: "data") }

  private func load(needsFeatures: Bool = true) throws -> Dataset {
    try Dataset.load(folder: folder.path, needsFeatures: needsFeatures)
  }

  private func refusal(
    rows: String, itemRows: Int = 4, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> DatasetError {
    try SmallData.write(to: folder, rows: rows, itemRows: itemRows)
    return problem(sourceLocation: sourceLocation) { try load() }
  }

  @Test("a folder becomes rows per user, the training order and features")
  func loadsFolder() throws {
    try SmallData.write(to: folder)
    let dataset = try load()
    #expect(dataset.name == "data" && dataset.userCount == 3 && dataset.itemCount == 4)
    #expect(dataset.trainUsers == [0, 0, 1, 2] && dataset.trainItems == [0, 1, 1, 2])
    #expect((0..<3).map { Array(dataset.train[$0]) } == [[0, 1], [1], [2]])
    #expect((0..<3).map { Array(dataset.valid[$0]) } == [[], [2], []])
    #expect((0..<3).map { Array(dataset.test[$0]) } == [[], [], [3]])
    #expect(dataset.negativePool == [0, 1, 2], "item 3 does not occur in training")
    #expect(dataset.features.map(\.name) == ["visual", "text"])
    #expect(dataset.features.map(\.columns) == [3, 2])
  }

  @Test("users without training interactions are dropped from validation and test")
  func dropsUntrainedUsers() throws {
    try SmallData.write(
      to: folder, rows: SmallData.rows + "3\t0\t1\t0\t1\n3\t1\t1\t0\t2\n3\t2\t1\t0\t2\n")
    let dataset = try load()
    #expect(dataset.userCount == 4)
    #expect(dataset.valid.degree(3) == 0 && dataset.test.degree(3) == 0)
    #expect(
      dataset.dropped.users == 1 && dataset.dropped.valid == 1 && dataset.dropped.test == 2)
  }

  @Test("feature rows without interactions are items, also for models without features")
  func countsItemsByFeatures() throws {
    try SmallData.write(to: folder, itemRows: 6)
    #expect(try load().itemCount == 6)
    let plain = try load(needsFeatures: false)
    #expect(plain.itemCount == 6 && plain.features.isEmpty)
  }

  @Test("a folder without features can be used by models that need none, and by no others")
  func loadsWithoutFeatures() throws {
    try folder.write(SmallData.header + SmallData.rows, to: "data.inter")
    #expect(try load(needsFeatures: false).itemCount == 4)
    expect(problem { try load() }, says: "no features", "image_feat.npy", "bpr")
  }

  @Test("too few feature rows are named with both numbers and the line of the largest id")
  func namesMissingFeatureRows() throws {
    let error = try refusal(rows: SmallData.rows, itemRows: 3)
    expect(error, says: "image_feat.npy", "3 rows", "run to 3", "line 7", "needs 4 rows")
  }

  @Test("modalities of different length are named with both numbers")
  func namesDifferingRows() throws {
    try SmallData.write(to: folder)
    try NPYWriter.write(
      SmallData.features(rows: 5, columns: 2), to: folder.path("text_feat.npy"))
    expect(
      problem { try load() }, says: "text_feat.npy", "5 rows", "image_feat.npy has 4", "item")
  }

  @Test("a NaN is named with file, row and column")
  func namesNaN() throws {
    try SmallData.write(to: folder)
    let features = SmallData.features(rows: 4, columns: 2)
    features[2, 1] = .nan
    try NPYWriter.write(features, to: folder.path("text_feat.npy"))
    expect(problem { try load() }, says: "text_feat.npy", "row 2, column 1", "nan")
    #expect(try load(needsFeatures: false).itemCount == 4)
  }

  @Test("a repeated pair is named with both lines")
  func namesDuplicates() throws {
    let error = try refusal(rows: SmallData.rows + "0\t1\t1\t0\t2\n")
    #expect(error.line == 8)
    expect(error, says: "data.inter:8", "user 0 with item 1", "line 3")
  }

  @Test("a gap in the user ids is named, with the line of the largest id")
  func namesMissingUsers() throws {
    let error = try refusal(rows: SmallData.rows + "4\t1\t1\t0\t0\n")
    #expect(error.line == 8)
    expect(error, says: "user ids run to 4", "user 3", "without gaps")
  }

  @Test("a typing error in an id costs no memory")
  func survivesHugeIDs() throws {
    expect(
      try refusal(rows: SmallData.rows + "2147483646\t1\t1\t0\t0\n"), says: "data.inter:8",
      "user ids run to 2147483646")
    expect(
      try refusal(rows: SmallData.rows + "0\t2147483646\t1\t0\t0\n"), says: "image_feat.npy",
      "run to 2147483646", "line 8")
    try folder.write(
      SmallData.header + SmallData.rows + "0\t2147483646\t1\t0\t0\n", to: "data.inter")
    let plain = try TemporaryFolder(name: "data")
    try plain.write(folder.read("data.inter"), to: "data.inter")
    expect(
      problem { try Dataset.load(folder: plain.path, needsFeatures: false) },
      says: "data.inter:8", "item ids run to 2147483646", "item 4")
  }

  @Test("a gap in the item ids is an error only where no features cover it")
  func namesMissingItems() throws {
    let rows = "0\t0\t1\t0\t0\n0\t3\t1\t0\t0\n1\t2\t1\t0\t0\n"
    try SmallData.write(to: folder, rows: rows)
    #expect(try load().itemCount == 4)
    let plain = try TemporaryFolder(name: "data")
    try plain.write(SmallData.header + rows, to: "data.inter")
    expect(
      problem { try Dataset.load(folder: plain.path, needsFeatures: false) },
      says: "data.inter:3", "item 1", "no feature file covers it")
  }

  @Test("a data set without training rows is an error")
  func needsTraining() throws {
    expect(try refusal(rows: "0\t0\t1\t0\t1\n0\t1\t1\t0\t2\n"), says: "x_label 0", "80 %")
  }

  /// Follows the advice about users without negatives until no such user is left.
  private func followAdvice(_ rows: String) throws -> (dataset: Dataset?, steps: Int, last: String)
  {
    var lines = (SmallData.header + rows).split(separator: "\n").map(String.init)
    for step in 0...lines.count {
      let text = lines.joined(separator: "\n") + "\n"
      try folder.write(text, to: "data.inter")
      do {
        return (try load(needsFeatures: false), step, "")
      } catch {
        let sentence = "\(error)"
        guard let match = sentence.firstMatch(of: /make line (\d+) \(item \d+\)/),
          let number = Int(match.output.1)
        else { return (nil, step, sentence) }
        lines[number - 1] = lines[number - 1].dropLast() + "1"
      }
    }
    return (nil, lines.count, "the advice never ends")
  }

  @Test("following the advice about a user with every item gives a usable data set")
  func adviceLeadsOut() throws {
    // Users 0 and 2 have all three items.
    let rows = [(0, 0), (0, 1), (0, 2), (1, 0), (2, 2), (2, 1), (2, 0)]
      .map { "\($0.0)\t\($0.1)\t1\t0\t0\n" }.joined()
    let (dataset, steps, last) = try followAdvice(rows)
    #expect(steps == 2, "\(last)")
    let loaded = try #require(dataset, "\(last)")
    for user in 0..<loaded.userCount {
      #expect(loaded.train.degree(user) < loaded.negativePool.count)
    }
    // All at once, as validation reports them.
    try folder.write(SmallData.header + rows, to: "data.inter")
    let problems = DatasetValidation.validate(folder: folder.path).problems
    #expect(problems.count == 2 && Set(problems.map(\.description)).count == 2)
  }

  @Test("where no row can be moved, the advice is to add some")
  func adviceToAdd() throws {
    let (dataset, _, last) = try followAdvice("0\t0\t1\t0\t0\n0\t1\t1\t0\t0\n")
    #expect(dataset == nil && last.contains("add training rows of other users"))
  }

  @Test("a data set's name is made safe for a terminal")
  func harmlessName() throws {
    try SmallData.write(to: folder)
    try folder.write("name: \"a\\e[31mb\"\n", to: "dataset.yaml")
    #expect(try load().name == "a?[31mb")
  }

  @Test("a user with every item is an error: no negative exists")
  func needsNegatives() throws {
    let error = try refusal(rows: "0\t0\t1\t0\t0\n0\t1\t1\t0\t0\n1\t1\t1\t0\t0\n")
    expect(error, says: "data.inter", "user 0", "each of the 2 items", "negative")
  }

  @Test("the digest depends on the data that is used, and on nothing else")
  func digestsContents() throws {
    try SmallData.write(to: folder)
    let dataset = try load()
    #expect(dataset.digest.wholeMatch(of: /xxh128:[0-9a-f]{32}/) != nil, "\(dataset.digest)")

    let copy = try TemporaryFolder(name: "elsewhere")
    let otherRatings = SmallData.rows.replacingRatings
    try SmallData.write(to: copy, rows: otherRatings)
    #expect(try Dataset.load(folder: copy.path, needsFeatures: true).digest == dataset.digest)

    let features = try [3, 2].enumerated().map { index, columns in
      try FeatureMatrix(
        name: ["visual", "text"][index], matrix: SmallData.features(rows: 4, columns: columns))
    }
    let inMemory = try Dataset(
      name: "memory",
      interactions: Interactions(
        train: [(0, 0), (0, 1), (1, 1), (2, 2)], valid: [(1, 2)], test: [(2, 3)]),
      features: features)
    #expect(inMemory.digest == dataset.digest)

    #expect(try load(needsFeatures: false).digest != dataset.digest)
    let changed = SmallData.features(rows: 4, columns: 2)
    changed[3, 1].negate()
    try NPYWriter.write(changed, to: folder.path("text_feat.npy"))
    #expect(try load().digest != dataset.digest)
    try SmallData.write(to: folder, rows: SmallData.rows.dropLast(2) + "1\n")
    #expect(try load().digest != dataset.digest, "the last row moved from test to validation")
  }
}

extension String {
  /// The same interactions with other ratings.
  fileprivate var replacingRatings: String {
    split(separator: "\n").map { line in
      var fields = line.split(separator: "\t").map(String.init)
      fields[2] = "0.5"
      return fields.joined(separator: "\t") + "\n"
    }.joined()
  }
}
