import Foundation
import TestSupport
import Testing

/// Commands about data sets read the files that a run would read.
@Suite struct DataCommandTests {
  @Test("features of a well-known data set have the names that training gives them")
  func builtInModalities() throws {
    let folder = try TemporaryFolder()
    let generated = try folder.generateData()
    let data = "\(folder.path)/lfm2k"
    try FileManager.default.moveItem(atPath: generated, toPath: data)
    // A folder with a dataset.yaml decides itself.
    try? FileManager.default.removeItem(atPath: "\(data)/dataset.yaml")
    let stats = try Command("data", "stats", data)
    #expect(stats.status == 0, "\(stats.errors)")
    #expect(stats.output.contains("audio") && !stats.output.contains("visual"))
    #expect(try Command("data", "validate", data).status == 0)
  }

  @Test("a well-known data set without its features can be validated")
  func withoutFeatures() throws {
    let folder = try TemporaryFolder()
    let generated = try folder.generateData()
    let data = "\(folder.path)/baby"
    try FileManager.default.moveItem(atPath: generated, toPath: data)
    for file in ["dataset.yaml", "image_feat.npy", "text_feat.npy"] {
      try? FileManager.default.removeItem(atPath: "\(data)/\(file)")
    }
    let validate = try Command("data", "validate", data)
    #expect(validate.status == 0, "\(validate.errors)")
  }
}
