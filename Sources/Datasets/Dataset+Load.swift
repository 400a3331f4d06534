extension Dataset {
  /// Reads a folder in MMRec's layout (``DatasetDescription``). Features stay in their files.
  ///
  /// - Parameters:
  ///   - modalities: replaces the folder's own list, if not nil.
  ///   - needsFeatures: whether to read the features at all; without, ``features`` is empty, and
  ///     the feature files only say how many items there are.
  /// - Throws: ``DatasetError`` with the first problem found.
  public static func load(
    folder: String, modalities: [ModalityDescription]? = nil, needsFeatures: Bool
  ) throws(DatasetError) -> Dataset {
    var reader = DatasetReader(
      folder: folder, modalities: modalities,
      featureUse: needsFeatures ? .required : .countedOnly, problemLimit: 1)
    guard let dataset = try reader.read() else {
      preconditionFailure("a reader that stops at the first problem returned without one")
    }
    return dataset
  }
}
