import DataPreparation
import Datasets
import Foundation
import TestSupport
import Testing

/// What readers of features must do, whatever is in their files: they never trap, refuse with a
/// message, and what they accept becomes features that can be used.
@Suite("Damaged sources of features")
struct FeatureFuzzTests {
  /// A folder with three items, to which features are added again and again.
  private struct Target: Sendable {
    let folder: MemoryFolder

    init() throws {
      folder = try MemoryFolder()
      let files = [
        "data.inter": "userID\titemID\n0\t0\n0\t1\n0\t2\n",
        "items.tsv": "itemID\tid\n0\ta\n1\tb\n2\t7\n",
      ]
      for (name, text) in files {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
      }
    }

    func add(_ source: String, ids: String? = nil) throws -> FuzzedParser.Verdict {
      // The history would become too long.
      unlink("\(folder.path)/dataset.yaml")
      do {
        let addition = FeatureAddition(modality: "x", source: source, ids: ids, fill: .mean)
        let report = try FeatureAdder.add(
          [addition], to: folder.path, replacesExisting: true
        ) { _, _ in }[0]
        let features = try FeatureMatrix(
          name: "x", file: NPYFile(path: "\(folder.path)/x_feat.npy"))
        guard features.rows == 3, features.columns == report.columns else {
          throw FuzzFailure("\(report) is not what was written")
        }
        if report.presentCount < 3 {
          let mask = try FeatureMask.read("\(folder.path)/x_mask.npy", itemCount: 3)
          guard mask.presentCount == report.presentCount else {
            throw FuzzFailure("\(report) has the mask \(mask.isPresent)")
          }
        }
        return .accepted
      } catch let error as DatasetError {
        return .refused(error.message)
      }
    }
  }

  @Test("text")
  func text() throws {
    let target = try Target()
    let file = try MemoryFile("source")
    let inputs = InputMutator(
      texts: [
        "id,v0,v1\na,1,2\nb,3,4\n7,5,6\n", "a\t[1 2]\nb\t[3 4]\n",
        "\"a\",\"[1, 2]\"\r\nb,\"[3,4]\"\r\n",
        "{\"id\": \"a\", \"embedding\": [1, 2.5]}\n{\"id\": 7, \"embedding\": [3, 4]}\n",
      ],
      words: [
        ",", "\t", "\"", "\n", "[", "]", "nan", "1e39", "1e-400", "id", "asin", "{", "}", "null",
        "\\ud800", "\"id\":", "\"embedding\":", "\0", "\u{1B}[2J", "\u{FEFF}",
        "9223372036854775808",
      ])
    try FuzzRun.run(
      .file("features-text", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try target.add(file.path)
      })
  }

  private static func npy(_ descriptor: String, _ shape: String, _ payload: [UInt8]) -> [UInt8] {
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8)
      + [1, 0, UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8)] + Array(text.utf8)
      + payload
  }

  private static let matrix = npy("<f4", "(3, 1)", [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64])
  private static let lists = [
    npy("<U1", "(3,)", [0x61, 0, 0, 0, 0x62, 0, 0, 0, 0x37, 0, 0, 0]),
    npy("|S1", "(3,)", Array("ab7".utf8)), npy("<i8", "(1,)", [7, 0, 0, 0, 0, 0, 0, 0]),
    Array("a\nb\n7\n".utf8),
  ]

  @Test("lists of ids")
  func ids() throws {
    let target = try Target()
    let file = try MemoryFile("ids")
    let matrix = try MemoryFile("x.npy")
    try matrix.write(Self.matrix)
    let inputs = InputMutator(
      files: Self.lists,
      words: [
        "(3,)", "(9223372036854775807,)", "'<U4096'", "'|S9'", "'>u2'", "'|O'", "\n", "\0", "()",
      ])
    try FuzzRun.run(
      .file("features-ids", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try target.add(matrix.path, ids: file.path)
      })
  }

  @Test("npz files")
  func npz() throws {
    let target = try Target()
    let file = try MemoryFile("x.npz")
    let folder = try TemporaryFolder()
    let samples = try [true, false].flatMap { isPacked in
      try Self.lists.prefix(2).map { list in
        try ZipFixture.write(
          ["embeddings.npy": Self.matrix, "ids.npy": list], to: folder.path("x"),
          isPacked: isPacked)
        return try folder.read("x")
      }
    }
    let inputs = InputMutator(
      files: samples, words: ["PK\u{3}\u{4}", "PK\u{1}\u{2}", "PK\u{5}\u{6}", "ids.npy", "(3, 1)"])
    try FuzzRun.run(
      .file("features-npz", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try target.add(file.path)
      })
  }

  @Test("safetensors")
  func safetensors() throws {
    let target = try Target()
    let file = try MemoryFile("x.safetensors")
    let headers = [
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"F16","shape":[2],"data_offsets":[8,12]}}"#,
      #"{"x":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]}}"#,
    ]
    let inputs = InputMutator(
      files: headers.map { header in
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
          + Array(header.utf8) + [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]
      },
      words: [
        "[0]", "[0,0]", "[1152921504606846976,16]", "\"F64\"", "\"BF16\"", "\"shape\":", "{}", "\0",
        "__metadata__",
      ])
    try FuzzRun.run(
      .file("features-safetensors", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try target.add(file.path)
      })
  }
}
