/// A list of scalars; a single scalar is a list of one, so that `--set topk=20` does what it says.
extension Array: SettingValue where Element: SettingScalar {
  public static var expectation: String {
    "a list, each element \(Element.expectation)"
  }

  public var yaml: String { "[\(map(\.yaml).joined(separator: ", "))]" }

  public init(reading written: WrittenValue) throws(UnreadableValue) {
    let elements = if case .list(let list) = written { list } else { [written] }
    var values: [Element] = []
    for element in elements {
      guard !element.isNull else { throw UnreadableValue(advice: "an element has no value") }
      values.append(try Element(reading: element))
    }
    self = values
  }
}
