import Datasets
import Tensors
import TestSupport
import Testing

@Suite("precomputed neighbours")
struct NeighbourListsTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder(name: "data")
    try SmallData.write(to: folder)
  }

  private func load() throws -> Dataset {
    try Dataset.load(folder: folder.path, needsFeatures: true)
  }

  /// An npy file of whole numbers.
  private func write(
    _ numbers: [Int64], to file: String, type: String = "<i4", shape: String = "(4, 2)",
    isFortranOrder: Bool = false
  ) throws {
    let text =
      "{'descr': '\(type)', 'fortran_order': \(isFortranOrder ? "True" : "False"), "
      + "'shape': \(shape), }"
    let width = type.hasSuffix("8") ? 8 : 4
    let payload = numbers.flatMap { number in
      (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
    let header: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.utf8.count), 0]
    try folder.write(header + Array(text.utf8) + payload, to: file)
  }

  @Test(
    "lists in the folder of a feature file belong to its modality",
    arguments: ["<i4", "<i8", "<u4"])
  func readsLists(type: String) throws {
    try write([0, 1, 1, 3, 2, 0, 3, 1], to: "text_knn2.npy", type: type)
    let dataset = try load()
    #expect(dataset.features[0].neighbours.isEmpty)
    let lists = try #require(dataset.features[1].neighbours.first)
    #expect(lists.count == 2 && lists.itemCount == 4)
    #expect((0..<4).map { Array(lists[$0]) } == [[0, 1], [1, 3], [2, 0], [3, 1]])
  }

  @Test("the lists are part of the data set's digest")
  func digest() throws {
    let plain = try load().digest
    try write([0, 1, 1, 3, 2, 0, 3, 1], to: "text_knn2.npy")
    let first = try load().digest
    try write([0, 1, 1, 3, 2, 0, 3, 2], to: "text_knn2.npy")
    let second = try load().digest
    #expect(plain != first && first != second)
  }

  @Test("files with similar names are ignored")
  func otherNames() throws {
    for name in ["text_knn.npy", "text_knn02.npy", "text_knnx.npy", "text_knn0.npy", "x_knn2.npy"] {
      try folder.write("nothing", to: name)
    }
    #expect(try load().features.allSatisfy { $0.neighbours.isEmpty })
  }

  @Test("a file that is not a list for these items is refused with file and reason")
  func refusals() throws {
    func expectRefusal(
      _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
      write body: () throws -> Void
    ) throws {
      try body()
      let error = problem(sourceLocation: sourceLocation) { try load() }
      for part in ["image_knn2.npy"] + parts {
        #expect(error.description.contains(part), "\(error)", sourceLocation: sourceLocation)
      }
    }
    let good: [Int64] = [0, 1, 1, 3, 2, 0, 3, 1]
    try expectRefusal("row 1", "item 4", "0 to 3") {
      try write([0, 1, 1, 4, 2, 0, 3, 1], to: "image_knn2.npy")
    }
    try expectRefusal("row 2", "item -1") {
      try write([0, 1, 1, 3, 2, 1 << 40, 3, 1], to: "image_knn2.npy", type: "<i8")
    }
    try expectRefusal("row 3", "item 3 twice") {
      try write([0, 1, 1, 3, 2, 0, 3, 3], to: "image_knn2.npy")
    }
    try expectRefusal("(2, 4)", "2 neighbours", "4 items") {
      try write(good, to: "image_knn2.npy", shape: "(2, 4)")
    }
    try expectRefusal("28 bytes", "32") { try write(good.dropLast(), to: "image_knn2.npy") }
    try expectRefusal("<f4", "np.save") { try write(good, to: "image_knn2.npy", type: "<f4") }
    try expectRefusal("whole numbers") {
      try write(good, to: "image_knn2.npy", isFortranOrder: true)
    }
  }
}
