import Datasets
import Files

/// Features in an array of an npz file, with ids in another of its arrays, in another file, or
/// without. The arrays are unpacked row by row.
final class NPZFeatures: FeatureSource {
  /// An array and its header.
  private struct Array {
    let member: ZipArchive.Member
    let header: NPYHeader

    var name: String { String(member.name.dropLast(NPZFeatures.suffix.count)) }
    var isText: Bool { header.shape.count == 1 }
  }

  private static let suffix = ".npy"
  /// Names by which arrays of ids are recognised, if there are several of one dimension.
  private static let idNames = ["ids", "id", "item_ids", "item_id", "itemID", "asins", "asin"]
  /// Names by which the values are recognised, if there are several matrices.
  private static let valueNames = ["embeddings", "embedding", "features", "feats", "vectors", "x"]
  private static let mostHeaderBytes = 16 << 10

  let path: String
  private let archive: ZipArchive
  private let values: Array
  private let element: NPYElement
  private let isBigEndian: Bool
  private let ids: IDList?

  /// - Parameters:
  ///   - array: the name of the array with the values; found if nil.
  ///   - ids: those of another file, which take precedence over the archive's.
  /// - Throws: ``DatasetError`` if the archive is damaged, or it is not clear which array is meant.
  init(path: String, array: String?, ids: IDList?) throws {
    self.path = path
    archive = try ZipArchive(path: path)
    var arrays: [Array] = []
    for member in archive.members where member.name.hasSuffix(Self.suffix) {
      arrays.append(Array(member: member, header: try Self.header(of: member, in: archive)))
    }
    if arrays.isEmpty, archive.members.contains(where: { $0.name.hasSuffix("data.pkl") }) {
      throw DatasetError(
        .malformed, path: path,
        "is a file of torch.save, which only PyTorch can read; convert it: "
          + "np.save(file, torch.load(path).detach().float().cpu().numpy())")
    }
    values = try Self.choose(array, among: arrays, path: path)
    (element, isBigEndian) = try NPYFile.elementType(values.header.descriptor, path: path)
    guard !values.header.isFortranOrder else {
      throw DatasetError(
        .malformed, path: path,
        "holds '\(values.name.sanitized())' column by column, so its rows cannot be unpacked one "
          + "by one: save it with np.ascontiguousarray")
    }
    let shape = values.header.shape
    guard shape[0] > 0, (1...FeatureLimits.columns).contains(shape[1]) else {
      throw DatasetError(
        .malformed, path: path,
        "holds '\(values.name.sanitized())' of shape \(values.header.shapeText); a matrix of items "
          + "× columns is needed, with 1 to \(FeatureLimits.columns) columns")
    }
    let (count, countOverflow) = shape[0].multipliedReportingOverflow(by: shape[1])
    let (size, overflow) = count.multipliedReportingOverflow(by: element.byteCount)
    guard !countOverflow, !overflow,
      size == values.member.byteCount - values.header.payloadOffset
    else {
      throw DatasetError(
        .malformed, path: path,
        "holds '\(values.name.sanitized())' whose size does not match its shape "
          + "\(values.header.shapeText): it is damaged; export it again")
    }
    self.ids = try ids ?? Self.ids(among: arrays, in: archive)
    try NPYFeatures.check(self.ids, rows: shape[0], columns: shape[1], path: path)
  }

  func read(_ take: (FeatureRow) throws -> Void) throws {
    let shape = values.header.shape
    let reading = try archive.open(values.member)
    let packed = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(values.header.payloadOffset, shape[1] * element.byteCount), alignment: 16)
    let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape[1])
    defer {
      packed.deallocate()
      row.deallocate()
    }
    try reading.fill(
      UnsafeMutableRawBufferPointer(rebasing: packed[..<values.header.payloadOffset]))
    let bytes = UnsafeMutableRawBufferPointer(rebasing: packed[..<(shape[1] * element.byteCount)])
    guard let base = row.baseAddress else { return }
    for number in 0..<shape[0] {
      try reading.fill(bytes)
      element.convert(
        UnsafeRawBufferPointer(bytes), count: shape[1], isBigEndian: isBigEndian, to: base)
      let share = Double(number) / Double(shape[0])
      try ids.withID(number) { id in
        try take(
          FeatureRow(
            id: id, place: .row(number), values: UnsafeBufferPointer(row), share: share))
      }
    }
    try reading.finish()
  }

  private static func header(
    of member: ZipArchive.Member, in archive: ZipArchive
  ) throws(DatasetError) -> NPYHeader {
    let reading = try archive.open(member)
    var start = [UInt8](repeating: 0, count: min(member.byteCount, mostHeaderBytes))
    try start.withUnsafeMutableBufferPointer { bytes throws(DatasetError) in
      try reading.fill(UnsafeMutableRawBufferPointer(bytes))
    }
    return try start.withUnsafeBufferPointer { bytes throws(DatasetError) in
      try NPYHeader.parse(
        UnsafeRawBufferPointer(bytes), path: "\(archive.path):\(member.name.sanitized())")
    }
  }

  private static func choose(
    _ name: String?, among arrays: [Array], path: String
  ) throws(DatasetError) -> Array {
    let shown = list(arrays)
    if let name {
      guard let found = arrays.first(where: { $0.name == name }) else {
        throw DatasetError(
          .notFound, path: path,
          "has no array '\(name.sanitized())'; it has \(shown)")
      }
      guard found.header.shape.count == 2 else {
        throw DatasetError(
          .malformed, path: path,
          "holds '\(name.sanitized())' of shape \(found.header.shapeText), but features are a "
            + "matrix of items × columns")
      }
      return found
    }
    let matrices = arrays.filter { $0.header.shape.count == 2 }
    if matrices.count == 1 { return matrices[0] }
    for name in valueNames {
      if let named = matrices.first(where: { $0.name == name }) { return named }
    }
    if let objects = arrays.first(where: { $0.header.descriptor?.hasSuffix("O") == true }) {
      throw DatasetError(
        .malformed, path: path,
        "holds pickled Python objects in '\(objects.name.sanitized())', which only Python can "
          + "read: save them with np.savez(file, ids=np.asarray(ids, dtype=str), "
          + "embeddings=np.stack(vectors))")
    }
    throw DatasetError(
      .configuration, path: path,
      matrices.isEmpty
        ? "has no matrix of items × columns; its arrays are \(shown)"
        : "has several matrices (\(list(matrices))); name the right one: FILE.npz:ARRAY")
  }

  /// Names and shapes, for messages.
  private static func list(_ arrays: [Array]) -> String {
    let shown = arrays.prefix(12).map { "'\($0.name.sanitized())' \($0.header.shapeText)" }
    return shown.isEmpty ? "none" : shown.joined(separator: ", ")
  }

  private static func ids(
    among arrays: [Array], in archive: ZipArchive
  ) throws -> IDList? {
    let lists = arrays.filter(\.isText)
    let named = idNames.lazy.compactMap { name in lists.first { $0.name == name } }.first
    guard let list = named ?? (lists.count == 1 ? lists[0] : nil) else {
      guard lists.isEmpty else {
        let shown = lists.prefix(8).map { "'\($0.name.sanitized())'" }.joined(separator: ", ")
        throw DatasetError(
          .configuration, path: archive.path,
          "has several arrays that could hold the ids (\(shown)); call the right one 'ids', or "
            + "name a file with --ids")
      }
      return nil
    }
    let path = "\(archive.path):\(list.name.sanitized())"
    let byteCount = list.member.byteCount
    guard byteCount <= 4 << 30 else {
      throw DatasetError(
        .malformed, path: path, "has \(byteCount) bytes of ids; at most 4 GiB are read")
    }
    // Grows as it is unpacked, so that a size that is not true costs no memory.
    let reading = try archive.open(list.member)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while bytes.count < byteCount {
      let count = min(chunk.count, byteCount - bytes.count)
      try chunk.withUnsafeMutableBytes {
        try reading.fill(UnsafeMutableRawBufferPointer(rebasing: $0[..<count]))
      }
      bytes += chunk[..<count]
    }
    try reading.finish()
    return try bytes.withUnsafeBytes {
      try NPYIDs.read(
        UnsafeRawBufferPointer(rebasing: $0[list.header.payloadOffset...]), header: list.header,
        path: path)
    }
  }
}
