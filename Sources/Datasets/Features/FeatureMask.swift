import Files

/// Which items have a modality, `[I]`: an npy file of booleans, true where the features are the
/// item's own and false where the row was filled.
public struct FeatureMask: Sendable, Equatable {
  /// `[I]`.
  public let isPresent: [Bool]

  /// I.
  public var itemCount: Int { isPresent.count }
  /// How many items have the modality.
  public var presentCount: Int { isPresent.count { $0 } }

  public init(_ isPresent: [Bool]) { self.isPresent = isPresent }

  /// Reads a mask.
  ///
  /// - Throws: ``DatasetError`` if the file cannot be read, or is not one boolean per item.
  public static func read(_ path: String, itemCount: Int) throws(DatasetError) -> FeatureMask {
    let file = try MappedFile(path: path)
    let header = try NPYHeader.parse(file.bytes, path: path)
    let problem = { (found: String) in
      DatasetError(
        .malformed, path: path,
        "\(found), but a mask has one boolean per item, \(itemCount): "
          + "np.save(file, np.asarray(mask, dtype=bool))")
    }
    guard header.descriptor == "|b1" else {
      throw problem("holds '\((header.descriptor ?? "records").sanitized(atMost: 16))'")
    }
    guard header.shape == [itemCount] else { throw problem("has shape \(header.shapeText)") }
    let values = file.bytes[header.payloadOffset...]
    guard values.count == itemCount else {
      throw problem("has \(values.count) bytes after its header")
    }
    guard values.allSatisfy({ $0 <= 1 }) else { throw problem("has bytes other than 0 and 1") }
    return FeatureMask(values.map { $0 == 1 })
  }

  /// Writes the mask as `np.save` does.
  ///
  /// - Throws: ``DatasetError`` if it cannot be written.
  package func write(to path: String) throws(DatasetError) {
    try AtomicFile.write(bytes, to: path)
  }

  /// The mask as a file.
  package var bytes: [UInt8] {
    NPYHeader.text(descriptor: "|b1", shape: "(\(itemCount),)") + isPresent.map { $0 ? 1 : 0 }
  }
}
