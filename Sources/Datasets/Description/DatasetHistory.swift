import Files

/// How a data set's folder was made: the steps of import, features, split and subset, oldest first,
/// each with the settings that it was made with. Steps of other names are kept.
///
/// It holds neither dates nor places of outputs, so that the same commands give the same bytes.
public struct DatasetHistory: Sendable, Equatable {
  /// One setting of a step: plain text, whatever it stands for.
  public struct Field: Sendable, Equatable {
    public let key: String
    public let value: String

    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// One command that made or changed the folder.
  public struct Step: Sendable, Equatable {
    /// `import`, `features`, `split`, `subset` or another.
    public let name: String
    /// In the order of the file.
    public let fields: [Field]

    public init(_ name: String, fields: [Field]) {
      self.name = name
      self.fields = fields
    }

    /// A step from settings as they are written in code: `Step("split", ["rule": "random"])`.
    public init(_ name: String, _ fields: KeyValuePairs<String, String>) {
      self.init(name, fields: fields.map { Field($0.key, $0.value) })
    }

    /// The value of a setting; nil if the step has none of that name.
    public subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

    /// The step on one line: `split: rule random, seed 42`.
    public var line: String {
      let settings = fields.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      return (settings.isEmpty ? name : "\(name): \(settings)").sanitized(atMost: 400)
    }
  }

  static let maximumStepCount = 256
  static let maximumFieldCount = 64
  static let maximumTextByteCount = 4096

  /// Oldest first.
  public private(set) var steps: [Step] = []

  public init() {}

  /// The last step that decided what is for training, validation and test; nil if none is known.
  public var split: Step? { steps.last { $0.name == "split" } }

  /// Adds a step.
  ///
  /// - Returns: why it cannot be added, as a clause; nil if it was.
  package mutating func append(_ step: Step) -> String? {
    guard steps.count < Self.maximumStepCount else {
      return "the history has more than the \(Self.maximumStepCount) steps that are kept"
    }
    guard step.fields.count <= Self.maximumFieldCount else {
      return "a step of the history has more than \(Self.maximumFieldCount) values"
    }
    let texts = [step.name] + step.fields.flatMap { [$0.key, $0.value] }
    guard texts.allSatisfy({ $0.utf8.count <= Self.maximumTextByteCount }) else {
      return "a value of the history is longer than \(Self.maximumTextByteCount) bytes"
    }
    for (index, field) in step.fields.enumerated()
    where field.key == "step" || step.fields[..<index].contains(where: { $0.key == field.key }) {
      return "a step of the history has the value '\(field.key.sanitized(atMost: 32))' twice"
    }
    steps.append(step)
    return nil
  }
}

/// As a list of objects, `[{"step": "split", "rule": "random"}]`.
extension DatasetHistory: Codable {
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static let stepKey = Key(stringValue: "step")

  public func encode(to encoder: any Encoder) throws {
    var list = encoder.unkeyedContainer()
    for step in steps {
      var object = list.nestedContainer(keyedBy: Key.self)
      try object.encode(step.name, forKey: Self.stepKey)
      for field in step.fields {
        try object.encode(field.value, forKey: Key(stringValue: field.key))
      }
    }
  }

  /// Objects have no order, so the settings of a step are in the order of their names.
  public init(from decoder: any Decoder) throws {
    self.init()
    var list = try decoder.unkeyedContainer()
    while !list.isAtEnd {
      let object = try list.nestedContainer(keyedBy: Key.self)
      let keys = object.allKeys.map(\.stringValue).filter { $0 != Self.stepKey.stringValue }
      let fields = try keys.sorted().map {
        Field($0, try object.decode(String.self, forKey: Key(stringValue: $0)))
      }
      let step = Step(try object.decode(String.self, forKey: Self.stepKey), fields: fields)
      if let problem = append(step) {
        throw DecodingError.dataCorruptedError(in: list, debugDescription: problem)
      }
    }
  }
}
