import DataPreparation
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// Copies of folders with disturbed features.
@Suite struct FeatureDisturbanceTests {
  private let folder: TemporaryFolder
  private static let itemCount = 30

  /// A folder with two modalities; items 3 and 7 have no text. Each row of features begins with the
  /// number of its item.
  init() throws {
    folder = try TemporaryFolder()
    let data = UnsplitData(seed: 12, userCount: 20, itemCount: Self.itemCount)
    try data.write(to: folder.path("source"), masked: [3, 7])
    let image = Matrix(rows: Self.itemCount, columns: 2)
    for item in 0..<Self.itemCount {
      image.pointer[2 * item] = Float(item)
      image.pointer[2 * item + 1] = Float(item % 3) - 1
    }
    let writer = try NPYWriter.begin(
      path: folder.path("source/image_feat.npy"), rows: Self.itemCount, columns: 2, isHalf: true)
    try writer.append(image.pointer, count: Self.itemCount)
    try writer.finish()
    let yaml = try folder.text("source/dataset.yaml").replacing(
      "modalities:\n", with: "modalities:\n  - name: image\n    file: image_feat.npy\n")
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: folder.path("source/dataset.yaml")))
  }

  @discardableResult
  private func disturb(
    _ name: String, seed: UInt64 = 5, _ change: (inout FeatureDisturbance) -> Void
  ) throws -> DisturbanceSummary {
    var disturbance = FeatureDisturbance(seed: seed)
    change(&disturbance)
    return try disturbance.run(
      folder: folder.path("source"), to: folder.path(name), replacesExisting: false
    ) { _, _ in }
  }

  /// A feature file's rows.
  private func rows(_ file: String) throws -> [[Float]] {
    let matrix = try NPYFile(path: folder.path(file))
    return (0..<matrix.rows).map { item in
      var row = [Float](repeating: 0, count: matrix.columns)
      row.withUnsafeMutableBufferPointer { matrix.copyRow(item, to: $0.baseAddress!) }
      return row
    }
  }

  private func origins(_ file: String) throws -> [Int] { try rows(file).map { Int($0[0]) } }

  @Test("a permuted modality has the same rows in another order; all else is the same to the byte")
  func permuted() throws {
    let summary = try disturb("out") { $0.permuted = ["text"] }
    let order = try origins("out/text_feat.npy")
    #expect(order != Array(0..<Self.itemCount))
    #expect(order.sorted() == Array(0..<Self.itemCount))
    // Items without text take no part.
    #expect(order[3] == 3 && order[7] == 7)
    #expect(summary.permuted.map(\.items) == [28])
    let before = try UnsplitData.files(of: folder.path("source"))
    let after = try UnsplitData.files(of: folder.path("out"))
    #expect(Set(before.keys) == Set(after.keys))
    for (name, bytes) in before where !["text_feat.npy", "dataset.yaml"].contains(name) {
      #expect(after[name] == bytes, "\(name)")
    }
    let history = try folder.text("out/dataset.yaml")
    #expect(history.contains("- step: import") && history.contains("- step: disturb"))
    #expect(history.contains("permuted: text") && history.contains("seed: 5"))
    #expect(!history.contains("noise") && !history.contains("swap_share"))
  }

  @Test(
    "swapped items have another item's features in all modalities, and its mask; others their own")
  func swapped() throws {
    let summary = try disturb("out") { $0.swapShare = 0.5 }
    #expect(summary.swapped == 15)
    let image = try origins("out/image_feat.npy")
    let text = try origins("out/text_feat.npy")
    #expect(image == text)
    #expect(image.indices.count { image[$0] != $0 } == 15)
    #expect(image.sorted() == Array(0..<Self.itemCount))
    let mask = try FeatureMask.read(folder.path("out/text_mask.npy"), itemCount: Self.itemCount)
    #expect(mask.isPresent == text.map { ![3, 7].contains($0) })
    let all = try disturb("all") { $0.swapShare = 1 }
    #expect(all.swapped == Self.itemCount)
    #expect(try origins("all/image_feat.npy").enumerated().allSatisfy { $0.offset != $0.element })
  }

  @Test("noise has the spread of each column times the factor, and leaves missing rows alone")
  func noise() throws {
    let count = 4000
    let (large, out) = (folder.path("large"), folder.path("large-noisy"))
    try UnsplitData(seed: 1, userCount: 4, itemCount: count, perUser: 2...5).write(to: large)
    let features = Matrix(rows: count, columns: 3)
    for item in 0..<count {
      features.pointer[3 * item] = item.isMultiple(of: 2) ? 1000 : 1002
      features.pointer[3 * item + 1] = Float(item % 5) * 0.01
      features.pointer[3 * item + 2] = 7
    }
    try NPYWriter.write(features, to: "\(large)/text_feat.npy")
    var disturbance = FeatureDisturbance(seed: 3)
    disturbance.noise = 0.5
    _ = try disturbance.run(folder: large, to: out, replacesExisting: false) { _, _ in }
    let (before, after) = (try rows("large/text_feat.npy"), try rows("large-noisy/text_feat.npy"))
    // Half of the columns' own deviations, 1 and .01 √2, within five standard errors, 5 / √(2 n).
    for (column, expected) in [(0, 0.5), (1, 0.5 * 0.01 * 2.0.squareRoot())] {
      let noise = zip(before, after).map { Double($1[column] - $0[column]) }
      let deviation = (noise.map { $0 * $0 }.reduce(0, +) / Double(count)).squareRoot()
      #expect(abs(deviation / expected - 1) < 0.06, "column \(column): \(deviation)")
      #expect(abs(noise.reduce(0, +) / Double(count)) < 0.08 * expected)
    }
    // A column of one value has no spread, so no noise.
    #expect(after.allSatisfy { $0[2] == 7 })

    try disturb("out") { $0.noise = 1 }
    let text = try rows("out/text_feat.npy")
    #expect(text[3][0] == 3 && text[7][0] == 7)
    #expect(text.enumerated().count { $0.element[0] != Float($0.offset) } == 28)
    let image = try rows("out/image_feat.npy")
    #expect(image.map { $0[1] } != text.map { $0[1] })
  }

  @Test("the same seed gives the same bytes, another seed others; half precision stays")
  func deterministic() throws {
    let all: (inout FeatureDisturbance) -> Void = {
      ($0.permuted, $0.swapShare, $0.noise) = (["image"], 0.3, 1)
    }
    try disturb("a", all)
    try disturb("b", all)
    try disturb("c", seed: 6, all)
    let (a, b) = (
      try UnsplitData.files(of: folder.path("a")), try UnsplitData.files(of: folder.path("b"))
    )
    #expect(a == b)
    let c = try UnsplitData.files(of: folder.path("c"))
    #expect(c["text_feat.npy"] != a["text_feat.npy"])
    #expect(c["image_feat.npy"] != a["image_feat.npy"])
    #expect(try NPYFile(path: folder.path("a/image_feat.npy")).element == .float16)
    #expect(try NPYFile(path: folder.path("a/text_feat.npy")).element == .float32)
    #expect(a["image_feat.npy"]?.count == UnsplitData.files(folder, "image_feat.npy"))
  }

  @Test("a modality that is not there, too small a share and a folder without features are refused")
  func refusals() throws {
    #expect {
      try disturb("out") { $0.permuted = ["txt"] }
    } throws: { "\($0)".contains("no modality 'txt'") && "\($0)".contains("image, text") }
    #expect {
      try disturb("out") { $0.swapShare = 0.01 }
    } throws: { "\($0)".contains("--swap-share 0.01") }
    #expect(!FileManager.default.fileExists(atPath: folder.path("out")))
    for file in ["text_feat.npy", "text_mask.npy", "image_feat.npy", "dataset.yaml"] {
      try FileManager.default.removeItem(atPath: folder.path("source/\(file)"))
    }
    #expect {
      try disturb("out") { $0.noise = 1 }
    } throws: { "\($0)".contains("mrdib data features") }
  }

  @Test("every half-precision number survives; others round to the nearest, ties to even")
  func halves() throws {
    let values = (0...UInt16.max).map { bits in
      // As the format defines it, in double precision.
      let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
      let size =
        exponent == 31
        ? (fraction == 0 ? Double.infinity : .nan)
        : exponent == 0
          ? fraction * pow(2, -24) : (1024 + fraction) * pow(2, Double(exponent) - 25)
      return Float(bits < 32768 ? size : -size)
    }
    let between: [Float] = [1 + 0x1p-11, 1 + 0x3p-11, 65519, 65520, 0x1p-25, 0x1.8p-24, -0x1p-26]
    let expected: [Float] = [1, 1 + 0x1p-9, 65504, .infinity, 0, 0x1p-23, -0]
    let all = values + between
    let path = folder.path("half.npy")
    let writer = try NPYWriter.begin(path: path, rows: 1, columns: all.count, isHalf: true)
    try all.withUnsafeBufferPointer { try writer.append($0.baseAddress!, count: 1) }
    try writer.finish()
    let read = try rows("half.npy")[0]
    for (written, found) in zip(values + expected, read) {
      #expect(written.isNaN ? found.isNaN : written == found)
    }
    #expect(read.last?.sign == .minus)
  }
}

extension UnsplitData {
  /// The size of a file of the source folder.
  fileprivate static func files(_ folder: TemporaryFolder, _ name: String) -> Int? {
    try? files(of: folder.path("source"))[name]?.count
  }
}
