import Settings

/// A kind of item features and the file that holds them, written `visual:image_feat.npy`.
package struct Modality: SettingScalar {
  /// Names the modality in parameters and reports.
  package let name: String
  /// A file name inside the data set's folder.
  package let file: String

  package init(name: String, file: String) {
    self.name = name
    self.file = file
  }

  package static var expectation: String { "name:file" }

  package var yaml: String { "\(name):\(file)".yaml }

  package init(reading word: String) throws(UnreadableValue) {
    guard let colon = word.firstIndex(of: ":") else { throw UnreadableValue() }
    let name = word[..<colon]
    let file = word[word.index(after: colon)...]
    guard !file.isEmpty, !name.isEmpty,
      name.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) })
    else {
      throw UnreadableValue(advice: "a name consists of a–z, 0–9 and _")
    }
    self.init(name: String(name), file: String(file))
  }
}
