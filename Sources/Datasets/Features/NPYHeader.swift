import Files

/// The header of an npy file: the type of its numbers, their order and the shape.
///
/// - Source: NumPy's `numpy.lib.format`, format versions 1.0, 2.0 and 3.0.
package struct NPYHeader: Equatable {
  /// NumPy's name of the element type, such as `<f4`; nil for structured types.
  package let descriptor: String?
  package let isFortranOrder: Bool
  package let shape: [Int]
  /// Where the numbers begin.
  package let payloadOffset: Int

  /// The shape as Python writes it, shortened where it has more axes than anything in use.
  package var shapeText: String {
    let shown = shape.prefix(8).map(String.init) + (shape.count > 8 ? ["…"] : [])
    return "(\(shown.joined(separator: ", ")))"
  }

  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Far above what NumPy writes for plain arrays (one or two lines of 64 bytes).
  package static let maximumByteCount = 1 << 20

  /// Reads the header from the beginning of a file.
  ///
  /// - Throws: ``DatasetError`` of kind `malformed` for anything that is not a whole header.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(DatasetError) -> NPYHeader {
    guard bytes.count >= magic.count + 2, bytes.prefix(magic.count).elementsEqual(magic) else {
      let kind = ContentKind.sentence(bytes).map { ": \($0)" } ?? ""
      throw malformed(path, "is not an npy file (it does not begin with \\x93NUMPY)\(kind)")
    }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw malformed(
        path, "has npy format version \(version).\(bytes[7]); versions 1, 2 and 3 can be read")
    }
    let lengthByteCount = version == 1 ? 2 : 4
    let textOffset = 8 + lengthByteCount
    guard bytes.count >= textOffset else { throw truncated(path) }
    var textByteCount = 0
    for index in 0..<lengthByteCount { textByteCount |= Int(bytes[8 + index]) << (8 * index) }
    guard textByteCount <= maximumByteCount else {
      throw malformed(
        path, "claims a header of \(textByteCount) bytes, more than \(maximumByteCount)")
    }
    guard bytes.count - textOffset >= textByteCount else { throw truncated(path) }
    let payloadOffset = textOffset + textByteCount
    let text = Array(bytes[textOffset..<payloadOffset])
    let literal: PythonLiteral
    do {
      literal = try PythonLiteral.parse(text)
    } catch {
      throw malformed(
        path,
        "has a header that cannot be read: at byte \(error.position) of it, \(error.message)")
    }
    return try interpret(literal, path: path, payloadOffset: payloadOffset)
  }

  /// The bytes of a header of format 1.0, as `np.save` writes it: padded so that the numbers begin
  /// at a multiple of 64.
  ///
  /// - Parameter shape: as Python writes it, such as `(3, 4)`.
  static func text(descriptor: String, shape: String) -> [UInt8] {
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(shape), }"
    let unpadded = magic.count + 4 + text.utf8.count + 1
    let padding = (64 - unpadded % 64) % 64
    let textByteCount = text.utf8.count + padding + 1
    return magic + [1, 0, UInt8(textByteCount & 0xFF), UInt8(textByteCount >> 8)]
      + Array(text.utf8) + [UInt8](repeating: 0x20, count: padding) + [0x0A]
  }

  private static func interpret(
    _ literal: PythonLiteral, path: String, payloadOffset: Int
  ) throws(DatasetError) -> NPYHeader {
    guard case .dictionary(let entries) = literal else {
      throw malformed(path, "has a header that is not a dictionary")
    }
    guard let type = entries["descr"],
      case .boolean(let isFortranOrder)? = entries["fortran_order"],
      case .sequence(let extents)? = entries["shape"]
    else {
      throw malformed(
        path, "has a header without 'descr', 'fortran_order' (True or False) or 'shape'")
    }
    var shape: [Int] = []
    for extent in extents {
      guard case .integer(let count) = extent, count >= 0 else {
        throw malformed(path, "has a shape with other entries than whole numbers from 0")
      }
      shape.append(count)
    }
    var descriptor: String?
    if case .string(let name) = type { descriptor = name }
    return NPYHeader(
      descriptor: descriptor, isFortranOrder: isFortranOrder, shape: shape,
      payloadOffset: payloadOffset)
  }

  private static func truncated(_ path: String) -> DatasetError {
    malformed(path, "ends within its header: the file was cut off; copy or export it again")
  }

  private static func malformed(_ path: String, _ message: String) -> DatasetError {
    DatasetError(.malformed, path: path, message)
  }
}
