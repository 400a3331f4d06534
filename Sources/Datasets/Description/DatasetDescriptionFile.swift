import Files
internal import Foundation
internal import Yams

/// The optional `dataset.yaml` of a data set's folder; every key may be left out:
///
///     name: lfm2k
///     interactions: lfm2k.inter
///     modalities:
///       - name: visual
///         file: image_feat.npy
///       - name: text
///         file: text_feat.npy
///         mask: text_mask.npy
///         fill: zero
///     users: users.tsv
///     items: items.tsv
///     history:
///       - step: import
///         source: ratings.csv
///
/// Unknown keys are refused, except in the steps of the history.
package struct DatasetDescriptionFile: Equatable {
  package static let fileName = "dataset.yaml"
  static let maximumByteCount = 1 << 20

  package var name: String?
  package var interactions: String?
  package var modalities: [ModalityDescription]?
  /// The file of the original ids of users.
  package var users: String?
  /// The file of the original ids of items.
  package var items: String?
  package var history = DatasetHistory()

  package init() {}

  /// Reads the description of a folder; an empty one if the folder has none.
  ///
  /// - Throws: ``DatasetError`` as ``read(folder:files:)``.
  package static func read(folder: String) throws(DatasetError) -> DatasetDescriptionFile {
    let isThere = FileKind.of(DatasetDescription.path(of: fileName, in: folder)) != nil
    return try read(folder: folder, files: isThere ? [fileName] : [])
  }

  /// - Throws: ``DatasetError`` with the line of an unknown key or a value of the wrong kind.
  package static func read(
    folder: String, files: [String]
  ) throws(DatasetError) -> DatasetDescriptionFile {
    guard files.contains(fileName) else { return DatasetDescriptionFile() }
    let path = DatasetDescription.path(of: fileName, in: folder)
    let file = try MappedFile(path: path)
    guard file.bytes.count <= maximumByteCount else {
      throw DatasetError(
        .malformed, path: path,
        "is \(file.bytes.count) bytes long; a description may have at most \(maximumByteCount)")
    }
    guard let text = String(bytes: file.bytes, encoding: .utf8) else {
      let kind = ContentKind.sentence(file.bytes).map { ": \($0)" } ?? ""
      throw DatasetError(.malformed, path: path, "is not UTF-8 text\(kind)")
    }
    if let alias = YAMLAlias.first(in: text) {
      throw DatasetError(
        .malformed, path: path, line: alias.line,
        "uses a YAML alias (*name), which is not supported: write the value itself")
    }
    let root: Node?
    do {
      root = try compose(yaml: text)
    } catch let error as YamlError {
      throw malformed(error, path: path)
    } catch {
      throw DatasetError(
        .malformed, path: path, "cannot be read as YAML: \("\(error)".sanitized(atMost: 200))")
    }
    guard let root, root.null == nil else { return DatasetDescriptionFile() }
    return try DescriptionReader(path: path).description(root)
  }

  private static func malformed(_ error: YamlError, path: String) -> DatasetError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      DatasetError(
        .malformed, path: path, line: mark.line,
        "is not valid YAML here: \(problem.sanitized(atMost: 200))")
    default:
      DatasetError(
        .malformed, path: path, "is not valid YAML: \("\(error)".sanitized(atMost: 200))")
    }
  }
}

/// Reads the YAML nodes of the file; every error carries its line.
private struct DescriptionReader {
  private static let keys = [
    "name", "interactions", "modalities", "users", "items", "history",
  ]

  let path: String

  func description(_ root: Node) throws(DatasetError) -> DatasetDescriptionFile {
    var file = DatasetDescriptionFile()
    for (key, value) in try entries(root, known: Self.keys) {
      switch key {
      case "name": file.name = try text(value, of: key)
      case "interactions": file.interactions = try text(value, of: key)
      case "users": file.users = try text(value, of: key)
      case "items": file.items = try text(value, of: key)
      case "history": file.history = try history(value)
      default: file.modalities = try modalities(value)
      }
    }
    return file
  }

  private func history(_ node: Node) throws(DatasetError) -> DatasetHistory {
    guard let sequence = node.sequence else {
      throw problem(node, "'history' must be a list of steps, each with step: NAME")
    }
    var history = DatasetHistory()
    for element in sequence {
      guard let mapping = element.mapping else {
        throw problem(element, "each step of the history needs step: NAME")
      }
      var name: String?
      var fields: [DatasetHistory.Field] = []
      for (key, value) in mapping {
        guard let key = key.scalar?.string, let text = value.scalar?.string else {
          throw problem(value, "the steps of the history may hold plain values only")
        }
        if key == "step" { name = text } else { fields.append(.init(key, text)) }
      }
      guard let name else { throw problem(element, "each step of the history needs step: NAME") }
      let step = DatasetHistory.Step(name, fields: fields)
      if let sentence = history.append(step) { throw problem(element, sentence) }
    }
    return history
  }

  private func modalities(_ node: Node) throws(DatasetError) -> [ModalityDescription] {
    guard let sequence = node.sequence else {
      throw problem(node, "'modalities' must be a list of entries with name and file")
    }
    var modalities: [ModalityDescription] = []
    for element in sequence {
      modalities.append(try modality(element))
    }
    if let sentence = ModalityDescription.problem(in: modalities) { throw problem(node, sentence) }
    return modalities
  }

  private func modality(_ node: Node) throws(DatasetError) -> ModalityDescription {
    var name: String?
    var file: String?
    var mask: String?
    var fill: FeatureFill?
    for (key, value) in try entries(node, known: ["name", "file", "mask", "fill"]) {
      let text = try text(value, of: key)
      switch key {
      case "name": name = text
      case "file": file = text
      case "mask": mask = text
      default:
        fill = FeatureFill(rawValue: text)
        if fill == nil {
          throw problem(
            value, "'fill' is '\(text.sanitized(atMost: 32))'; it must be zero or mean")
        }
      }
    }
    guard let name, let file else {
      throw problem(node, "each modality needs both name and file")
    }
    return ModalityDescription(name: name, file: file, mask: mask, fill: fill)
  }

  private func entries(
    _ node: Node, known: [String]
  ) throws(DatasetError) -> [(key: String, value: Node)] {
    guard let mapping = node.mapping else {
      throw problem(node, "expected keys with values: \(known.joined(separator: ", "))")
    }
    var entries: [(key: String, value: Node)] = []
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard known.contains(name) else {
        let hint =
          NearestName.find(name, among: known).map { "did you mean '\($0)'?" }
          ?? "known are \(known.joined(separator: ", "))"
        throw problem(key, "unknown key '\(name.sanitized(atMost: 32))'; \(hint)")
      }
      entries.append((name, value))
    }
    return entries
  }

  private func text(_ node: Node, of key: String) throws(DatasetError) -> String {
    guard let text = node.string, !text.isEmpty else {
      throw problem(node, "'\(key)' must be a text")
    }
    return text
  }

  private func problem(_ node: Node, _ message: String) -> DatasetError {
    DatasetError(.configuration, path: path, line: node.mark?.line, message)
  }
}
