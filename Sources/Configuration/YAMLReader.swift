import Files
import Settings
import Yams

/// Reads flat YAML with positions; the only file that knows the YAML library.
///
/// The key decides what a scalar means: YAML 1.1 would read `no` as false, `010` as 8 and `1:30` as
/// 90.
struct YAMLReader {
  /// The name of the text in messages.
  let label: String

  /// The entries of a flat mapping, in order. A text of comments has none.
  func entries(of text: String) throws -> [ConfigurationLayer.Entry] {
    switch try compose(text) {
    case nil: return []
    case .scalar(let scalar)? where scalar.string.isEmpty: return []
    case .mapping(let mapping)?: return try mapping.map(entry)
    case let node?:
      throw ConfigurationError(source(node.mark), "expected lines of the form 'key: value'")
    }
  }

  /// A single value, as written on a command line.
  func value(of text: String) throws -> WrittenValue {
    guard let node = try compose(text) else { return .scalar("", isPlain: true) }
    return raw(node)
  }

  private func entry(_ key: Node, _ value: Node) throws -> ConfigurationLayer.Entry {
    guard let name = key.scalar?.string else {
      throw ConfigurationError(source(key.mark), "a key must be a name, not a list or a mapping")
    }
    return ConfigurationLayer.Entry(
      name: name, nameSource: source(key.mark), value: raw(value), valueSource: source(value.mark),
      elementSources: value.sequence?.map { source($0.mark) } ?? [])
  }

  private func raw(_ node: Node) -> WrittenValue {
    switch node {
    case .scalar(let scalar): .scalar(scalar.string, isPlain: scalar.style == .plain)
    case .sequence(let sequence): .list(sequence.map(raw))
    case .mapping, .alias: .mapping
    }
  }

  private func source(_ mark: Mark?) -> ConfigurationSource {
    ConfigurationSource(label, line: mark?.line, column: mark?.column)
  }

  private func compose(_ text: String) throws -> Node? {
    if let alias = YAMLAlias.first(in: text) {
      throw ConfigurationError(
        ConfigurationSource(label, line: alias.line, column: alias.column),
        "references to another part of the file (*name) are not read; write the value itself")
    }
    do {
      return try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw configurationError(error, in: text)
    }
  }

  private func configurationError(_ error: YamlError, in text: String) -> ConfigurationError {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let detail = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
      return ConfigurationError(source(mark), "this is not YAML: \(detail.sanitized(atMost: 200))")
    case .duplicatedKeysInMapping(let names, let context):
      let listed = names.prefix(8).map { "'\($0.sanitized())'" }.joined(separator: ", ")
      return ConfigurationError(
        source(context.mark), "\(listed) is given more than once in this file; keep one")
    case .reader(let problem, let offset, _, _):
      let line = offset.map { text.prefix($0).count(where: \.isNewline) + 1 }
      return ConfigurationError(
        ConfigurationSource(label, line: line),
        "this is not YAML text: \(problem.sanitized(atMost: 200))")
    default:
      return ConfigurationError(
        ConfigurationSource(label), "this is not YAML: \("\(error)".sanitized(atMost: 200))")
    }
  }
}
