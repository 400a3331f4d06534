import Datasets
import Files
import Tensors

/// An ONNX graph that ranks: rows of users in, the best items and their scores out. The vectors
/// stay in the npy files next to it, as external data.
///
///     user [B] ─ Gather(user.npy) ─ [B, D] ─ Gemm(item.npy ᵀ) ─ [B, I] ─ TopK(k) ─ [B, k]
///
/// `k` may be left out. All items are ranked, those that a user has too.
///
/// - Source: `onnx.proto` of ONNX (field numbers), operator set 17; external data as described in
///   ONNX's "External Data": a location relative to the model, an offset and a length.
package struct ONNXModel: Sendable {
  /// A matrix of 32-bit floats in an npy file next to the model.
  package struct ExternalMatrix: Sendable {
    package let file: String
    package let rows: Int
    package let columns: Int
    /// Where the numbers begin in the file.
    package let offset: Int

    package init(file: String, rows: Int, columns: Int, offset: Int) {
      self.file = file
      self.rows = rows
      self.columns = columns
      self.offset = offset
    }
  }

  /// Of the format, not of the data.
  private static let formatVersion: Int64 = 8
  private static let operatorSet: Int64 = 17

  /// Numbers of `TensorProto.DataType`.
  private enum Element: Int64 {
    case float = 1
    case int64 = 7
  }

  package let users: ExternalMatrix
  package let items: ExternalMatrix
  /// K where the caller gives none; no more than there are items.
  package let count: Int
  /// What else is recorded, by name.
  package let properties: [(name: String, value: String)]

  package init(
    users: ExternalMatrix, items: ExternalMatrix, count: Int = 10,
    properties: [(name: String, value: String)]
  ) {
    self.users = users
    self.items = items
    self.count = min(count, items.rows)
    self.properties = properties
  }

  /// The file's bytes.
  package var bytes: [UInt8] {
    var model = ProtobufWriter()
    model.integer(1, Self.formatVersion)
    model.text(2, "mrdib")
    model.text(3, Program.version)
    model.message(7) { writeGraph(&$0) }
    model.message(8) {
      $0.text(1, "")
      $0.integer(2, Self.operatorSet)
    }
    for (name, value) in properties {
      model.message(14) {
        $0.text(1, name)
        $0.text(2, value)
      }
    }
    return model.bytes
  }

  private func writeGraph(_ graph: inout ProtobufWriter) {
    graph.message(1) {
      Self.write(node: "Gather", ["user_vectors", "user"], ["chosen"], to: &$0)
    }
    graph.message(1) {
      Self.write(node: "Gemm", ["chosen", "item_vectors"], ["scores"], to: &$0)
      $0.message(5) { attribute in
        attribute.text(1, "transB")
        attribute.integer(3, 1)
        // INT
        attribute.integer(20, 2)
      }
    }
    graph.message(1) { Self.write(node: "TopK", ["scores", "k"], ["score", "item"], to: &$0) }
    graph.text(2, "recommend")
    graph.message(5) { Self.write(users, named: "user_vectors", to: &$0) }
    graph.message(5) { Self.write(items, named: "item_vectors", to: &$0) }
    graph.message(5) { initial in
      initial.integer(1, 1)
      initial.integer(2, Element.int64.rawValue)
      initial.text(8, "k")
      initial.bytes(9, withUnsafeBytes(of: Int64(count).littleEndian) { Array($0) })
    }
    graph.message(11) { Self.write(value: "user", .int64, shape: ["batch"], to: &$0) }
    // An input that is also an initial value has a default.
    graph.message(11) { Self.write(value: "k", .int64, shape: [1], to: &$0) }
    graph.message(12) { Self.write(value: "score", .float, shape: ["batch", "k"], to: &$0) }
    graph.message(12) { Self.write(value: "item", .int64, shape: ["batch", "k"], to: &$0) }
  }

  private static func write(
    node kind: String, _ inputs: [String], _ outputs: [String], to node: inout ProtobufWriter
  ) {
    for input in inputs { node.text(1, input) }
    for output in outputs { node.text(2, output) }
    node.text(3, kind.lowercased())
    node.text(4, kind)
  }

  private static func write(
    _ matrix: ExternalMatrix, named name: String, to tensor: inout ProtobufWriter
  ) {
    tensor.integer(1, Int64(matrix.rows))
    tensor.integer(1, Int64(matrix.columns))
    tensor.integer(2, Element.float.rawValue)
    tensor.text(8, name)
    let length = matrix.rows * matrix.columns * 4
    for (key, value) in [
      ("location", matrix.file), ("offset", "\(matrix.offset)"), ("length", "\(length)"),
    ] {
      tensor.message(13) { entry in
        entry.text(1, key)
        entry.text(2, value)
      }
    }
    // EXTERNAL
    tensor.integer(14, 1)
  }

  /// An extent of a shape: a number, or a name for one that the caller decides.
  private enum Extent: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case number(Int64)
    case name(String)

    init(stringLiteral name: String) { self = .name(name) }
    init(integerLiteral number: Int64) { self = .number(number) }
  }

  private static func write(
    value name: String, _ element: Element, shape: [Extent], to value: inout ProtobufWriter
  ) {
    value.text(1, name)
    value.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, element.rawValue)
        tensor.message(2) { list in
          for extent in shape {
            list.message(1) { dimension in
              switch extent {
              case .number(let number): dimension.integer(1, number)
              case .name(let name): dimension.text(2, name)
              }
            }
          }
        }
      }
    }
  }
}

extension ONNXModel.ExternalMatrix {
  /// A matrix that was written with `NPYWriter`.
  ///
  /// - Parameters:
  ///   - path: where the file is now.
  ///   - file: its name next to the model.
  /// - Throws: `DatasetError` if it cannot be read.
  init(npy path: String, file: String) throws {
    let npy = try NPYFile(path: path)
    self.init(file: file, rows: npy.rows, columns: npy.columns, offset: npy.payloadOffset)
  }
}
