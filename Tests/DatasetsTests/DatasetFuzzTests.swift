import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// What every reader of a data set's files must do, whatever is in them: it never traps, takes
/// bounded time and memory, refuses with a message, and what it accepts can be used and written.
@Suite("Damaged files of data sets")
struct DatasetFuzzTests {
  /// The message of a refusal.
  private static func verdict(
    _ body: () throws -> Void
  ) throws -> FuzzedParser.Verdict {
    do {
      try body()
      return .accepted
    } catch let error as DatasetError {
      return .refused(error.message)
    }
  }

  private static let interactionFiles: [[UInt8]] = [
    SmallData.header + SmallData.rows,
    "user_id:token\titem_id:token\tx_label:float\r\n"
      + "0\t1\t0.0\r\n0\t0\t1\r\n1\t0\t0\r\n1\t2\t2.00\r\n",
    "\u{FEFF}x_label\tnote\titemID\tuserID\n"
      + "0\tgood \u{1B}[1m\t0\t0\n2\t\t1\t0\n0\tü\t1\t1\n1\t\t2\t1\n",
    SmallData.header + "0\t2147483646\t1\t1\t0\n2147483645\t3\t1\t1\t1\n",
  ].map { Array($0.utf8) }

  @Test("interactions")
  func interactions() throws {
    let file = try MemoryFile("data.inter")
    let written = try MemoryFile("written.inter")
    let inputs = InputMutator(
      files: Self.interactionFiles,
      words: [
        "\t", "\n", "\r\n", "\r", "\u{FEFF}", "userID", "item_id", "x_label", ":token", "0\t0\t0\n",
        "2147483647", "-1", "0.0", "\n\n", ",", "\u{1B}[2J", "\0",
      ])
    try FuzzRun.run(
      .file("interactions", inputs: inputs, rounds: 30_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let read = try InteractionFile.read(file.path)
          var text = "userID\titemID\tx_label\n"
          for row in 0..<read.count {
            text += "\(read.users[row])\t\(read.items[row])\t\(read.labels[row].rawValue)\n"
          }
          try written.write(Array(text.utf8))
          let again = try InteractionFile.read(written.path)
          guard
            again.users == read.users && again.items == read.items && again.labels == read.labels
          else { throw FuzzFailure("\(read) became \(again)") }
          _ = try Dataset(name: "fuzzed", interactions: read)
        }
      })
  }

  private static let npyNames = [
    "f2_c", "f2_fortran", "f2_big_endian", "f4_c", "f4_fortran", "f4_big_endian", "f4_version2",
    "f4_version3", "f8_c", "f8_fortran", "f8_big_endian", "f8_big_endian_fortran", "integers",
    "one_dimension", "three_dimensions", "no_rows", "records", "objects",
  ]

  private static let npyWords = [
    "'descr'", "'fortran_order'", "'shape'", "'<f4'", "'>f8'", "'|O'", "True", "False", "None",
    "(3, 4)", "(0, 4)", "(9223372036854775807, 2)", "(4611686018427387904, 4)", "()", "[", "{", "(",
    ")", "}", ",", "L", "\\", "\u{1B}[2J", "\n", "'key\u{7}'", "((((((((((((((((((",
  ]

  /// Changes the length that a header claims, or moves the numbers.
  private static let changeHeaderLength: InputMutator.Change = { bytes, random in
    guard bytes.count > 12 else { return }
    switch random.below(4) {
    case 0: bytes[6] = UInt8(random.below(5))
    case 1: bytes[8] = UInt8(truncatingIfNeeded: InputMutator.integer(&random))
    case 2: bytes[9] = UInt8(truncatingIfNeeded: InputMutator.integer(&random))
    default: bytes.removeLast(min(bytes.count - 12, 1 + random.below(16)))
    }
  }

  /// Corrects the header's length, which another change may have broken.
  private static let mendHeaderLength: InputMutator.Change = { bytes, _ in
    guard bytes.count > 12, let end = bytes[10...].firstIndex(of: 0x0A) else { return }
    let isShort = bytes[6] == 1
    let count = end + 1 - (isShort ? 10 : 12)
    guard count >= 0 else { return }
    bytes[8] = UInt8(truncatingIfNeeded: count)
    bytes[9] = UInt8(truncatingIfNeeded: count >> 8)
  }

  @Test("feature files")
  func features() throws {
    let file = try MemoryFile("image_feat.npy")
    let written = try MemoryFolder()
    let samples = try Self.npyNames.map { try TemporaryFolder.contents(of: Fixture.npy($0)) }
    let inputs = InputMutator(
      files: samples, words: Self.npyWords,
      changes: [Self.changeHeaderLength, Self.mendHeaderLength])
    try FuzzRun.run(
      .file("npy-features", inputs: inputs, rounds: 20_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let features = try FeatureMatrix(name: "visual", file: NPYFile(path: file.path))
          let matrix = Matrix(rows: features.rows, columns: features.columns)
          features.gather(
            (0..<features.rows).map { Int32($0) }, into: matrix.pointer)
          let path = "\(written.path)/again.npy"
          try NPYWriter.write(matrix, to: path)
          let again = try FeatureMatrix(name: "visual", file: NPYFile(path: path))
          let other = Matrix(rows: again.rows, columns: again.columns)
          again.gather((0..<again.rows).map { Int32($0) }, into: other.pointer)
          guard
            matrix.rows == other.rows,
            matrix.elements.map(\.bitPattern) == other.elements.map(\.bitPattern)
          else { throw FuzzFailure("\(Array(matrix.elements)) became \(Array(other.elements))") }
        }
      })
  }

  @Test("neighbour lists")
  func neighbours() throws {
    let file = try MemoryFile("image_knn2.npy")
    let samples = [("<i4", 4), ("<u4", 4), ("<i8", 8), ("<u8", 8)].map { type, width in
      let lists = [[0, 1], [1, 2], [2, 0], [3, 1]]
      let numbers = lists.joined().flatMap { item in
        (0..<width).map { UInt8(truncatingIfNeeded: item >> (8 * $0)) }
      }
      return npy("{'descr': '\(type)', 'fortran_order': False, 'shape': (4, 2), }\n", numbers)
    }
    let inputs = InputMutator(
      files: samples, words: Self.npyWords + ["'<i4'", "'<u8'", "(4, 2)"],
      changes: [Self.changeHeaderLength, Self.mendHeaderLength])
    try FuzzRun.run(
      .file("npy-neighbours", inputs: inputs, rounds: 40_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let lists = try NeighbourLists.read(file.path, itemCount: 4, count: 2)
          let items = (0..<4).flatMap { lists[$0] }
          guard try NeighbourLists(path: file.path, count: 2, items: items) == lists else {
            throw FuzzFailure("\(lists) became another")
          }
        }
      })
  }

  @Test("descriptions")
  func descriptions() throws {
    let folder = try MemoryFolder(name: "shop")
    let file = try MemoryFile("dataset.yaml", in: folder)
    let inputs = InputMutator(
      texts: [
        """
        # three modalities
        name: shop-2024
        interactions: shop.inter
        modalities:
          - {name: visual, file: image_feat.npy}
          - {name: "audio", file: 'whisper_feat.npy'}
          - name: text
            file: &file text_feat.npy
        """,
        "name: a\n", "{interactions: !!str b, modalities: []}\n", "~\n",
        "modalities: [{name: a, file: x}, {name: b, file: y, mask: z, fill: mean}]\n",
        "users: u\nitems: i\nhistory:\n  - {step: import, source: \"a b\"}\n  - step: x\n",
      ],
      words: InputMutator.yamlWords
        + ["name", "interactions", "modalities", "file", "mask", "fill", "history", "step"])
    try FuzzRun.run(
      .file("dataset.yaml", inputs: inputs, rounds: 15_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let read = try DatasetDescriptionFile.read(
            folder: folder.path, files: [DatasetDescriptionFile.fileName])
          for modality in read.modalities ?? [] where modality.file.isEmpty {
            throw FuzzFailure("a modality without a file: \(read)")
          }
          try file.write(Array(read.text.utf8))
          let again = try DatasetDescriptionFile.read(
            folder: folder.path, files: [DatasetDescriptionFile.fileName])
          guard again == read else { throw FuzzFailure("\(read) became \(again)") }
        }
      })
  }

  @Test("tables of ids")
  func identifiers() throws {
    let folder = try MemoryFolder()
    let file = try MemoryFile("items.tsv", in: folder)
    let inputs = InputMutator(
      texts: [
        "itemID\tid\ttitle\tcategories\n0\ta\tA\tX | Y\n1\tb\t\t\n2\tü\tB\t\n",
        "asin\titemID\r\nB00\t1\r\nB01\t0\r\n", "\u{FEFF}itemID\tid\n0\t0\n\n\n",
      ], words: ["\t", "\n", "\r\n", "itemID", "id", "asin", "text", "0", "1", " | ", "\0"])
    try FuzzRun.run(
      .file("items.tsv", inputs: inputs, rounds: 30_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let table = try IdentifierTable(path: file.path, kind: .items)
          for dense in 0..<table.count {
            _ = (table.value(.title, of: dense), table.categories(of: dense))
            guard table.dense(of: table.id(of: dense)) == dense else {
              throw FuzzFailure("dense id \(dense) is not found by '\(table.id(of: dense))'")
            }
          }
        }
      })
  }

  @Test("interactions before a split")
  func rawInteractions() throws {
    let file = try MemoryFile("data.inter")
    let written = try MemoryFolder()
    let path = "\(written.path)/again.inter"
    let inputs = InputMutator(
      files: Self.interactionFiles,
      words: ["\t", "\n", "rating", "timestamp", "x_label", "1e308", "-0.5", "nan", "1.7e9"])
    try FuzzRun.run(
      .file("raw-interactions", inputs: inputs, rounds: 15_000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let read = try InteractionFile.readRaw(file.path)
          let writer = try InteractionFileWriter(path: path, columns: [.ratings, .times])
          for row in 0..<read.count {
            try writer.append(
              user: read.users[row], item: read.items[row], rating: read.ratings?[row] ?? 0,
              time: read.times?[row] ?? 0)
          }
          try writer.finish()
          let again = try InteractionFile.readRaw(path)
          let times = (read.times ?? [], again.times ?? [])
          guard again.users == read.users,
            zip(times.0, times.1).allSatisfy({ $0 == $1 || ($0.isNaN && $1.isNaN) })
          else { throw FuzzFailure("\(read) became \(again)") }
        }
      })
  }

  /// Continues after every problem, and reads all files together.
  @Test("folders")
  func folders() throws {
    let folder = try MemoryFolder()
    let names = ["data.inter", "image_feat.npy", "text_feat.npy", "image_knn2.npy", "dataset.yaml"]
    let files = try names.map { try MemoryFile($0, in: folder) }
    let knn = npy(
      "{'descr': '<i4', 'fortran_order': False, 'shape': (4, 2), }\n",
      [0, 1, 1, 2, 2, 0, 3, 1].flatMap { [UInt8($0), 0, 0, 0] })
    let features = try [3, 2].map { columns in
      let path = "\(folder.path)/sample"
      try NPYWriter.write(SmallData.features(rows: 4, columns: columns), to: path)
      defer { unlink(path) }
      return try TemporaryFolder.contents(of: path)
    }
    let samples = Self.interactionFiles.map { [$0, features[0], features[1], knn, []] }
    let inputs = InputMutator(
      samples: samples + Array(repeating: samples[0], count: 4),
      words: ["\t", "\n", "0\t0\t0\t0\t0\n", "x", "-1", "2147483647"])
    try FuzzRun.run(
      FuzzedParser("data-set-folder", inputs: inputs, rounds: 3000) { parts, _ in
        for (file, part) in zip(files, parts) { try file.write(part) }
        let found = DatasetValidation.validate(folder: folder.path)
        for problem in found.problems.dropFirst() where problem.message.isEmpty {
          throw FuzzFailure("a problem without words")
        }
        return found.problems.first.map { .refused($0.message) } ?? .accepted
      })
  }

  @Test("manifests of generated data sets")
  func manifests() throws {
    let folder = try MemoryFolder()
    var configuration = SyntheticConfiguration()
    configuration.users = 20
    configuration.items = 60
    try SyntheticData.generate(configuration, to: folder.path)
    let path = "\(folder.path)/\(SyntheticData.truthFile)"
    let inputs = InputMutator(
      files: [try TemporaryFolder.contents(of: path)],
      words: [
        "{", "}", "[", "]", ",", ":", "null", "true", "-", "1e999", "\"start\": 9", "\\u0000",
        "\"", "\\ud800",
      ])
    let file = try MemoryFile(SyntheticData.truthFile, in: folder)
    try FuzzRun.run(
      .file("truth.json", inputs: inputs, rounds: 4000) { bytes in
        try file.write(bytes)
        return try Self.verdict {
          let truth = try SyntheticTruth.read(folder: folder.path)
          for column in truth.latentColumns.values where column.range.count < 0 {
            throw FuzzFailure("\(column)")
          }
          let written = try JSONEncoder().encode(truth)
          let again = try JSONDecoder().decode(SyntheticTruth.self, from: written)
          guard again == truth else { throw FuzzFailure("\(truth) became \(again)") }
        }
      })
  }
}
