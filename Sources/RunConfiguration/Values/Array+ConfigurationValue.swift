/// A list of scalars; a single scalar is a list of one, so that `--set topk=20` does what it says.
extension Array: ConfigurationValue where Element: ConfigurationScalar {
  public static var expectation: String {
    "a list, each element \(Element.expectation)"
  }

  public var yaml: String { "[\(map(\.yaml).joined(separator: ", "))]" }

  public init(reading text: ConfigurationText) throws(UnreadableValue) {
    let elements: [RawValue] = if case .list(let list) = text.raw { list } else { [text.raw] }
    var values: [Element] = []
    for element in elements {
      guard !element.isNull else { throw UnreadableValue(advice: "an element has no value") }
      values.append(try Element(reading: ConfigurationText(raw: element)))
    }
    self = values
  }
}
