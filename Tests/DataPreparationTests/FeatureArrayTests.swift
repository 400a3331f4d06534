import DataPreparation
import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

/// Features in files of arrays: npy, npz, safetensors.
@Suite struct FeatureArrayTests {
  private let folder: TemporaryFolder
  private let sources: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder(name: "shop")
    sources = try TemporaryFolder()
    try folder.write("userID\titemID\n0\t0\n0\t1\n0\t2\n", to: "shop.inter")
    try folder.write("itemID\tid\n0\t10\n1\t-7\n2\tä\n", to: "items.tsv")
  }

  @discardableResult
  private func add(_ source: String, ids: String? = nil) throws -> FeatureReport {
    try FeatureAdder.add(
      [FeatureAddition(modality: "x", source: source, ids: ids)], to: folder.path,
      replacesExisting: true
    ) { _, _ in }[0]
  }

  private func rows() throws -> [[Float]] {
    let file = try NPYFile(path: folder.path("x_feat.npy"))
    return (0..<file.rows).map { row in
      [Float](unsafeUninitializedCapacity: file.columns) { buffer, count in
        if let base = buffer.baseAddress { file.copyRow(row, to: base) }
        count = file.columns
      }
    }
  }

  private func refusal(_ source: String, ids: String? = nil) -> String {
    do {
      try add(source, ids: ids)
      Issue.record("accepted \(source)")
      return ""
    } catch { return "\(error)" }
  }

  private static func npy(_ descriptor: String, _ shape: String, _ payload: [UInt8]) -> [UInt8] {
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8)
      + [1, 0, UInt8(text.utf8.count & 255), UInt8(text.utf8.count >> 8)] + Array(text.utf8)
      + payload
  }

  private static func floats(_ values: [Float]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
  }

  /// Three ids in the orders of the arrays of NumPy that can hold them.
  private static let idArrays: [(name: String, bytes: [UInt8])] = [
    (
      "text",
      npy(
        "<U3", "(3,)",
        ["ä", "10", "-7"].flatMap { id in
          let scalars = id.unicodeScalars.map(\.value)
          return (scalars + [UInt32](repeating: 0, count: 3 - scalars.count)).flatMap { scalar in
            withUnsafeBytes(of: scalar.littleEndian) { Array($0) }
          }
        })
    ),
    ("bytes", npy("|S2", "(3,)", Array("ä".utf8) + Array("10".utf8) + Array("-7".utf8))),
  ]

  @Test("an npy matrix with a list of ids: lines of text, or an array")
  func npyWithIDs() throws {
    let matrix = try sources.write(
      Self.npy("<f4", "(3, 2)", Self.floats([5, 6, 1, 2, 3, 4])), to: "x.npy")
    var lists = [try sources.write("ä\r\n10\r\n-7", to: "ids.txt")]
    for (name, bytes) in Self.idArrays { lists.append(try sources.write(bytes, to: "\(name).npy")) }
    for list in lists {
      try add(matrix, ids: list)
      #expect(try rows() == [[1, 2], [3, 4], [5, 6]], "\(list)")
    }
    let numbers = try sources.write(
      Self.npy("<i2", "(2,)", [10, 0, 0xF9, 0xFF]), to: "numbers.npy")
    let short = try sources.write(Self.npy("<f4", "(2, 1)", Self.floats([1, 2])), to: "y.npy")
    #expect(try add(short, ids: numbers).presentCount == 2)
    #expect(try rows() == [[1], [2], [0]])
    #expect(refusal(matrix, ids: numbers).contains("has 3 rows, but there are 2 ids"))
    #expect(refusal(matrix, ids: try sources.write("a\n\nb\n", to: "b")).contains("b:2: is blank"))
    #expect(refusal(matrix, ids: short).contains("ids are whole numbers or texts"))
    let objects = try sources.write(Self.npy("|O", "(3,)", [0x80, 4]), to: "o.npy")
    #expect(refusal(matrix, ids: objects).contains("pickled Python objects"))
  }

  @Test("a matrix without ids has one row per item")
  func rowsWithoutIDs() throws {
    try add(sources.write(Self.npy("<f4", "(3, 1)", Self.floats([1, 2, 3])), to: "x.npy"))
    #expect(try rows() == [[1], [2], [3]])
    let few = try sources.write(Self.npy("<f4", "(2, 1)", Self.floats([1, 2])), to: "few.npy")
    #expect(refusal(few).contains("2 rows without ids, but the data set has 3 items"))
    let many = try sources.write(
      Self.npy("<f4", "(4, 1)", Self.floats([1, 2, 3, 4])), to: "many.npy")
    #expect(refusal(many).contains("more rows than the data set has items, 3"))
    let bad = try sources.write(Self.npy("<f4", "(3, 1)", Self.floats([1, .nan, 3])), to: "n.npy")
    #expect(refusal(bad).contains("row 1 cannot be used: value 0 is nan"))
  }

  @Test("an npz file, stored or packed", arguments: [true, false])
  func npz(isPacked: Bool) throws {
    let values = Self.npy("<f4", "(3, 2)", Self.floats([5, 6, 1, 2, 3, 4]))
    for (_, ids) in Self.idArrays {
      let path = sources.path("x.npz")
      try ZipFixture.write(
        ["embeddings.npy": values, "ids.npy": ids], to: path, isPacked: isPacked)
      try add(path)
      #expect(try rows() == [[1, 2], [3, 4], [5, 6]])
    }
    let path = sources.path("y.npz")
    try ZipFixture.write(
      ["a.npy": values, "b.npy": values, "names.npy": Self.idArrays[0].bytes], to: path,
      isPacked: isPacked)
    #expect(refusal(path).contains("several matrices ('a' (3, 2), 'b' (3, 2))"))
    #expect(refusal("\(path):c").contains("no array 'c'"))
    try add("\(path):b")
    #expect(try rows() == [[1, 2], [3, 4], [5, 6]])
    let objects = sources.path("o.npz")
    try ZipFixture.write(
      ["ids.npy": Self.npy("|O", "(3,)", [1])], to: objects, isPacked: isPacked)
    #expect(refusal(objects).contains("pickled Python objects in 'ids'"))
    let torch = sources.path("model.pt")
    try ZipFixture.write(["archive/data.pkl": [0x80, 2]], to: torch, isPacked: isPacked)
    #expect(refusal(torch).contains("torch.save"))
  }

  @Test("a damaged npz file is refused")
  func damagedNPZ() throws {
    let path = sources.path("x.npz")
    let values = (0..<3000).map { Float($0) }
    try ZipFixture.write(
      ["x.npy": Self.npy("<f4", "(3, 1000)", Self.floats(values))], to: path, isPacked: false)
    var bytes = try sources.read("x.npz")
    bytes[6000] ^= 1
    #expect(refusal(try sources.write(bytes, to: "y.npz")).contains("damaged"))
    let cut = Array(bytes.prefix(5000))
    #expect(refusal(try sources.write(cut, to: "z.npz")).contains("zip archive"))
  }

  private func safetensors(_ header: String, _ payload: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      + payload
  }

  @Test("safetensors: a vector per id, or a matrix with a list of ids")
  func safetensors() throws {
    let vectors = safetensors(
      #"{"ä":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""10":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},"#
        + #""else":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}"#,
      Self.floats([5, 6]) + [0x00, 0x3C, 0x00, 0x40] + Self.floats([9, 9]))
    let report = try add(sources.write(vectors, to: "v.safetensors"))
    #expect(report.presentCount == 2 && report.unknownCount == 1)
    #expect(try rows() == [[1, 2], [0, 0], [5, 6]])
    let doubles = [3.0, 1.0].flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
    let matrix = try sources.write(
      safetensors(#"{"x":{"dtype":"F64","shape":[2,1],"data_offsets":[0,16]}}"#, doubles),
      to: "m.safetensors")
    try add(matrix, ids: sources.write("-7\n10\n", to: "ids"))
    #expect(try rows() == [[1], [3], [0]])
    #expect(refusal(matrix).contains("2 rows without ids"))
    let whole = try sources.write(
      safetensors(
        #"{"x":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]}}"#,
        [UInt8](repeating: 0, count: 8)),
      to: "i.safetensors")
    #expect(refusal(whole).contains("tensor 'x' holds numbers of type I64"))
    #expect(
      refusal(try sources.write(Array(vectors.dropLast()), to: "c.safetensors"))
        .contains("not a whole safetensors file"))
  }
}
