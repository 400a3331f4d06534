import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

@Suite struct NewFolderTests {
  @Test("a folder appears only when it is committed, and nothing is left without a commit")
  func appearsAtOnce() throws {
    let parent = FileManager.default.temporaryDirectory
      .appendingPathComponent("new-folder-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: parent) }
    let target = "\(parent)/set"
    do {
      let abandoned = try NewFolder(path: target, replacesExisting: false)
      try Data("x".utf8).write(to: URL(fileURLWithPath: abandoned.path(of: "a")))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent).isEmpty)

    let folder = try NewFolder(path: target, replacesExisting: false)
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path(of: "a.inter")))
    #expect(!FileManager.default.fileExists(atPath: target))
    try folder.commit()
    #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["a.inter"])

    #expect(throws: DatasetError.self) { try NewFolder(path: target, replacesExisting: false) }
    let second = try NewFolder(path: target, replacesExisting: true)
    try Data("y".utf8).write(to: URL(fileURLWithPath: second.path(of: "b")))
    try second.commit()
    #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["b"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["set"])
  }

  @Test("only a data set is replaced, and never by what is made from it")
  func replacesDatasetsOnly() throws {
    let parent = try TemporaryFolder()
    for name in ["home", "set"] {
      try FileManager.default.createDirectory(
        atPath: parent.path(name), withIntermediateDirectories: true)
    }
    try parent.write("x", to: "home/letter.txt")
    let error = #expect(throws: DatasetError.self) {
      try NewFolder(path: parent.path("home"), replacesExisting: true)
    }
    #expect(error?.message.contains("no data set") == true)
    try parent.write("x", to: "set/set.inter")
    for source in ["set", "set/set.inter", "set/../set/"] {
      let error = #expect(throws: DatasetError.self) {
        try NewFolder(
          path: parent.path("set"), replacesExisting: true, from: parent.path(source))
      }
      #expect(error?.message.contains("which is read") == true)
    }
    try parent.write("mine", to: "set/thesis.txt")
    let foreign = #expect(throws: DatasetError.self) {
      try NewFolder(path: parent.path("set"), replacesExisting: true)
    }
    #expect(foreign?.message.contains("holds 'thesis.txt'") == true)
    try FileManager.default.removeItem(atPath: parent.path("set/thesis.txt"))
    try FileManager.default.createDirectory(
      atPath: parent.path("set/other.npy"), withIntermediateDirectories: true)
    #expect(throws: DatasetError.self) {
      try NewFolder(path: parent.path("set"), replacesExisting: true)
    }
    try FileManager.default.removeItem(atPath: parent.path("set/other.npy"))
    for file in ["text_feat.npy", "text_mask.npy", "users.tsv", "items.tsv", "dataset.yaml"] {
      try parent.write("x", to: "set/\(file)")
    }
    let other = try NewFolder(
      path: parent.path("set"), replacesExisting: true, from: parent.path("home"))
    #expect(other.path == parent.path("set"))
  }
}
