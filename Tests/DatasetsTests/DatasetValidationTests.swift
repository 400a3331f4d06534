import Datasets
import Tensors
import TestSupport
import Testing

@Suite("data set validation")
struct DatasetValidationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder(name: "data") }

  @Test("a good folder has figures and no problems")
  func acceptsGoodFolders() throws {
    try SmallData.write(to: folder)
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(validation.isUsable && validation.problems.isEmpty)
    #expect(validation.statistics?.train == 4)
    #expect(validation.warnings == ["1 item has no training rows; they are still ranked"])
  }

  @Test("all problems are listed, each with its own line")
  func listsAllProblems() throws {
    try SmallData.write(
      to: folder, rows: "x\t0\t1\t0\t0\n" + SmallData.rows + "0\t0\t1\t0\t7\n0\t1\t1\t0\t2\n")
    let features = SmallData.features(rows: 4, columns: 2)
    features[0, 0] = .infinity
    try NPYWriter.write(features, to: folder.path("text_feat.npy"))
    try folder.write("nothing", to: "image_feat.npy")
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(!validation.isUsable && !validation.isCutShort && validation.statistics == nil)
    let found = validation.problems.map(\.description)
    let expected = [
      "data.inter:2: has the user id 'x'", "data.inter:9: has the x_label '7'",
      "data.inter:10: repeats user 0 with item 1 of line 4", "image_feat.npy: is not an npy file",
      "text_feat.npy: row 0, column 0",
    ]
    #expect(found.count == expected.count, "\(found)")
    for (problem, part) in zip(found, expected) { #expect(problem.contains(part), "\(found)") }
  }

  @Test("the list is bounded")
  func boundsTheList() throws {
    try SmallData.write(
      to: folder, rows: String(repeating: "a\tb\tc\td\te\n", count: 1000))
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(validation.problems.count == 20 && validation.isCutShort)
    #expect(validation.problems.map(\.line) == Array(2...21))
    #expect(DatasetValidation.validate(folder: folder.path, limit: 3).problems.count == 3)
  }

  @Test("usable but unusual data gives warnings")
  func warns() throws {
    try folder.write(
      SmallData.header + "0\t0\t1\t0\t0\n0\t1\t1\t0\t1\n1\t1\t1\t0\t0\n2\t2\t1\t0\t2\n",
      to: "data.inter")
    try folder.write(
      TemporaryFolder.contents(of: Fixture.npy("f4_fortran")), to: "image_feat.npy")
    let text = SmallData.features(rows: 3, columns: 2)
    text.row(1).update(repeating: 0)
    try NPYWriter.write(text, to: folder.path("text_feat.npy"))
    let warnings = DatasetValidation.validate(folder: folder.path).warnings
    for part in [
      "has test rows (x_label 2)", "1 user has no training rows", "1 item has no",
      "visual: is stored column by column", "text: 1 of 3 rows are all zero",
    ] {
      #expect(warnings.contains { $0.contains(part) }, "'\(part)' is missing in \(warnings)")
    }
  }

  @Test("missing validation rows are a problem that names them: no epoch could be chosen")
  func needsValidation() throws {
    let rows = SmallData.rows.replacing("\t13\t1\n", with: "\t13\t2\n")
    try SmallData.write(to: folder, rows: rows)
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(!validation.isUsable && validation.statistics == nil)
    #expect(validation.problems.first?.description.contains("x_label 1") == true)
  }

  @Test("large feature values are a warning")
  func warnsOfLargeValues() throws {
    try SmallData.write(to: folder)
    let features = SmallData.features(rows: 4, columns: 2)
    features[1, 1] = -1e8
    try NPYWriter.write(features, to: folder.path("text_feat.npy"))
    let warnings = DatasetValidation.validate(folder: folder.path).warnings
    #expect(warnings.contains { $0.contains("text: has values up to 1e+08") }, "\(warnings)")
  }

  @Test("an empty folder is one problem")
  func refusesEmptyFolders() {
    let validation = DatasetValidation.validate(folder: folder.path)
    #expect(validation.problems.count == 1 && !validation.isCutShort)
  }
}
