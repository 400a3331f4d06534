internal import ForeignText

/// One kind of item features and the file that holds them.
public struct ModalityDescription: Sendable, Equatable, Codable {
  /// What tables, metrics and messages call it: letters, digits, `_` and `-`.
  public let name: String
  /// An npy file, relative to the data set's folder, one row per item.
  public let file: String

  public init(name: String, file: String) {
    self.name = name
    self.file = file
  }

  /// The two that the layout of MMRec knows, visual first.
  public static let standard = [
    ModalityDescription(name: "visual", file: "image_feat.npy"),
    ModalityDescription(name: "text", file: "text_feat.npy"),
  ]

  /// Bounds the number of tables that a data set can ask for.
  static let maximumCount = 16

  /// What keeps a list of modalities from being used, as a sentence; nil if nothing does.
  static func problem(in modalities: [ModalityDescription]) -> String? {
    if modalities.count > maximumCount {
      return "lists \(modalities.count) modalities; at most \(maximumCount) are possible"
    }
    for (index, modality) in modalities.enumerated() {
      if !isName(modality.name) {
        return
          "names a modality '\(modality.name.shown(atMost: 32))'; names are 1 to 32 letters, "
          + "digits, '_' or '-'"
      }
      if modality.file.isEmpty { return "names no file for the modality '\(modality.name)'" }
      if modalities[..<index].contains(where: { $0.name == modality.name }) {
        return "names the modality '\(modality.name)' twice"
      }
    }
    return nil
  }

  /// Whether a text can name a modality or a data set, and files and tables after it.
  static func isName(_ text: String) -> Bool {
    (1...32).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
