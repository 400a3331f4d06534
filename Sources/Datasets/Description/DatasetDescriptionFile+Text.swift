import Files

extension DatasetDescriptionFile {
  /// Adds a step to the history.
  ///
  /// - Throws: ``DatasetError`` if the history has too many steps, or the step is too long.
  package mutating func append(_ step: DatasetHistory.Step) throws(DatasetError) {
    if let sentence = history.append(step) {
      throw DatasetError(.configuration, path: Self.fileName, sentence)
    }
  }

  /// Writes the description into a folder as `dataset.yaml`, in place of the one that is there.
  ///
  /// - Throws: ``DatasetError`` if it cannot be written.
  package func write(to folder: String) throws(DatasetError) {
    try AtomicFile.write(
      Array(text.utf8), to: DatasetDescription.path(of: Self.fileName, in: folder))
  }

  /// The YAML text. Reading it gives the same description, except for comments.
  package var text: String {
    var lines: [String] = []
    let add = { (key: String, value: String?) in
      if let value { lines.append("\(key): \(YAMLScalar.text(value))") }
    }
    add("name", name)
    add("interactions", interactions)
    if let modalities {
      lines.append(modalities.isEmpty ? "modalities: []" : "modalities:")
      for modality in modalities {
        add("  - name", modality.name)
        add("    file", modality.file)
        add("    mask", modality.mask)
        add("    fill", modality.fill?.rawValue)
      }
    }
    add("users", users)
    add("items", items)
    if !history.steps.isEmpty { lines.append("history:") }
    for step in history.steps {
      add("  - step", step.name)
      for field in step.fields { add("    \(YAMLScalar.text(field.key))", field.value) }
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

/// Writes a text as a value of YAML: plain where no reader can take it for anything else, in double
/// quotes otherwise, and without the `*` that ``YAMLAlias`` refuses.
enum YAMLScalar {
  static func text(_ value: String) -> String { isPlain(value) ? value : quoted(value) }

  /// Words that readers of YAML take for something else than a text.
  private static let words: Set<String> = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n",
  ]

  private static func isPlain(_ value: String) -> Bool {
    let bytes = Array(value.utf8)
    guard let first = bytes.first, first != UInt8(ascii: " "), bytes.last != UInt8(ascii: " ")
    else {
      return false
    }
    let isWord = bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: " "), UInt8(ascii: "+"):
        true
      default: false
      }
    }
    return isWord && !words.contains(value.lowercased()) && first != UInt8(ascii: "-")
      && first != UInt8(ascii: ".")
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "*": text += "\\x2A"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      default:
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
          let digits = String(scalar.value, radix: 16)
          text += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
      }
    }
    return text + "\""
  }
}
