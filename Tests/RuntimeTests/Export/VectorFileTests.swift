import Files
import Foundation
import Runtime
import TestSupport
import Testing

/// Files of vectors in formats of other programs.
@Suite struct VectorFileTests {
  @Test("the header of an index has the bytes that Faiss writes")
  func faiss() {
    // faiss.serialize_index of an IndexFlatIP of 3 vectors of 2 numbers, Faiss 1.15, without them.
    let written: [UInt8] = [
      0x49, 0x78, 0x46, 0x49, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0,
      0x10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
    ]
    #expect(FaissIndex.header(rows: 3, columns: 2) == written)
    #expect(FaissIndex.header(rows: 1 << 32, columns: 64).count == 45)
  }

  /// The contents of the fields of a number, in their order.
  private func contents(_ number: UInt64, of bytes: ArraySlice<UInt8>) throws -> [ArraySlice<UInt8>]
  {
    var reader = ProtobufFieldReader(bytes)
    var found: [ArraySlice<UInt8>] = []
    while !reader.isAtEnd {
      let next = reader.next()
      let field = try #require(next)
      if field.number == number, let content = field.content { found.append(content) }
    }
    return found
  }

  private func text(_ bytes: ArraySlice<UInt8>?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("an ONNX graph gathers, multiplies and chooses, over vectors in files next to it")
  func onnx() throws {
    let model = ONNXModel(
      users: .init(file: "user.npy", rows: 5, columns: 4, offset: 128),
      items: .init(file: "item.npy", rows: 7, columns: 4, offset: 128),
      properties: [("epoch", "3")])
    let graph = try #require(try contents(7, of: model.bytes[...]).first)
    let nodes = try contents(1, of: graph)
    #expect(try nodes.map { text(try contents(4, of: $0).first) } == ["Gather", "Gemm", "TopK"])
    // Each node reads what the one before wrote.
    #expect(
      try contents(2, of: nodes[0]).map(text) == contents(1, of: nodes[1]).prefix(1).map(text))
    #expect(
      try contents(2, of: nodes[1]).map(text) == contents(1, of: nodes[2]).prefix(1).map(text))
    let tensors = try contents(5, of: graph)
    #expect(tensors.count == 3)
    for (tensor, expected) in zip(tensors, [("user.npy", "80"), ("item.npy", "112")]) {
      let entries = try contents(13, of: tensor).map {
        [text(try contents(1, of: $0).first), text(try contents(2, of: $0).first)]
      }
      #expect(
        entries == [["location", expected.0], ["offset", "128"], ["length", expected.1]])
    }
    // No more items than there are.
    #expect(try contents(9, of: tensors[2]).first.map { [UInt8]($0) } == [7, 0, 0, 0, 0, 0, 0, 0])
    #expect(model.bytes.count < 700)
  }
}
