import Datasets
import Files

/// Features in a safetensors file: one matrix, with ids in another file or without; or one vector
/// per id, named by the id.
final class SafetensorsFeatures: FeatureSource {
  let path: String
  private let file: MappedFile
  private let payloadOffset: Int
  private let content: Content

  private enum Content {
    case matrix(SafetensorsHeader.Entry, ids: IDList?)
    /// In the order of the file.
    case vectors([SafetensorsHeader.Entry])
  }

  /// - Throws: ``DatasetError`` if the file is damaged, or it is not clear which tensor is meant.
  init(path: String, ids: IDList?) throws(DatasetError) {
    self.path = path
    file = try MappedFile(path: path)
    let header = try SafetensorsHeader(of: file)
    payloadOffset = file.bytes.count - header.byteCount
    let entries = header.entries.values.sorted { $0.offset < $1.offset }
    let matrices = entries.filter { $0.tensor.shape.count == 2 }
    if matrices.count == 1 {
      let shape = matrices[0].tensor.shape
      try NPYFeatures.check(ids, rows: shape[0], columns: shape[1], path: path)
      content = .matrix(matrices[0], ids: ids)
      _ = try Self.number(matrices[0], path: path)
      return
    }
    let isVectors = !entries.isEmpty && entries.allSatisfy { $0.tensor.shape.count == 1 }
    guard isVectors, ids == nil else {
      let shown = entries.prefix(8).map {
        "'\($0.tensor.name.sanitized(atMost: 32))' \($0.tensor.shape)".sanitized(atMost: 60)
      }.joined(separator: ", ")
      throw DatasetError(
        .malformed, path: path,
        "holds \(entries.count) tensors (\(shown)); features are one matrix of items × columns, "
          + "with the ids in another file (--ids), or one vector per item that is named by the id")
    }
    for entry in entries { _ = try Self.number(entry, path: path) }
    content = .vectors(entries)
  }

  func read(_ take: (FeatureRow) throws -> Void) throws {
    switch content {
    case .vectors(let entries):
      for (index, entry) in entries.enumerated() {
        let place = FeaturePlace.tensor(entry.tensor.name)
        let share = Double(index) / Double(entries.count)
        try pass(entry, offset: 0, count: entry.tensor.shape[0]) { values in
          try Array(entry.tensor.name.utf8).withUnsafeBytes {
            try take(FeatureRow(id: $0, place: place, values: values, share: share))
          }
        }
      }
    case .matrix(let entry, let ids):
      let (rows, columns) = (entry.tensor.shape[0], entry.tensor.shape[1])
      for row in 0..<rows {
        let share = Double(row) / Double(rows)
        try pass(entry, offset: row * columns, count: columns) { values in
          try ids.withID(row) { id in
            try take(FeatureRow(id: id, place: .row(row), values: values, share: share))
          }
        }
      }
    }
  }

  /// Passes numbers of a tensor on.
  private func pass(
    _ entry: SafetensorsHeader.Entry, offset: Int, count: Int,
    _ take: (UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let element = try Self.number(entry, path: path)
    guard count <= FeatureLimits.columns else {
      throw FeaturePlace.tensor(entry.tensor.name).error(
        path, "has rows of \(count) values; at most \(FeatureLimits.columns) can be read")
    }
    let first = payloadOffset + entry.offset + offset * element.byteCount
    let bytes = UnsafeRawBufferPointer(
      rebasing: file.bytes[first..<first + count * element.byteCount])
    try withUnsafeTemporaryAllocation(of: Float.self, capacity: max(count, 1)) { values in
      guard let base = values.baseAddress else { return }
      element.convert(bytes, count: count, to: base)
      try take(UnsafeBufferPointer(rebasing: values[..<count]))
    }
  }

  /// How a tensor's numbers are stored.
  private static func number(
    _ entry: SafetensorsHeader.Entry, path: String
  ) throws(DatasetError) -> NPYElement {
    switch entry.tensor.type {
    case .float16: return .float16
    case .float32: return .float32
    case .float64: return .float64
    default:
      throw FeaturePlace.tensor(entry.tensor.name).error(
        path,
        "holds numbers of type \(entry.tensor.type.rawValue); features may be F16, F32 or F64: "
          + "convert it with tensor.float()")
    }
  }
}
