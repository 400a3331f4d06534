import Protocol
import Tables

extension TableSpec {
  /// Decodes a received description.
  ///
  /// - Throws: ``ParameterServerError`` with code `table` if the name is empty or too long, an
  ///   extent is zero or too large, a number is not finite or out of its range, or the initializer
  ///   or the rule is unknown.
  package init(_ description: TableDescription) throws(ParameterServerError) {
    let name = description.name
    let limits = WireLimits.standard
    guard !name.isEmpty && name.utf8.count <= limits.tableNameBytes else {
      throw ParameterServerError(
        .table,
        """
        A table's name has 1 to \(limits.tableNameBytes) bytes, but this one has \
        \(name.utf8.count): give the table another name.
        """)
    }
    guard
      let rows = Int(exactly: description.rows), (1...limits.rows).contains(description.rows),
      (1...limits.rowWidth).contains(Int(description.width)),
      description.rowsPerBlock > 0
    else {
      throw ParameterServerError(
        .table,
        """
        Table '\(name)' is described with \(description.rows) rows of width \(description.width) \
        in blocks of \(description.rowsPerBlock): rows must lie in 1...\(limits.rows), the width \
        in 1...\(limits.rowWidth), and a block must hold at least one row.
        """)
    }
    self.init(
      name: name, rows: rows, width: Int(description.width),
      initializer: try Initializer(description), rule: try UpdateRule(description),
      rowsPerBlock: Int(description.rowsPerBlock))
  }
}

extension TableDescription {
  /// Encodes a table.
  ///
  /// - Precondition: width and block size fit into 32 bits.
  package init(_ spec: TableSpec) {
    let (initializer, initializerValue) = spec.initializer.wireForm
    let (rule, ruleValue) = spec.rule.wireForm
    self.init(
      name: spec.name, rows: UInt64(spec.rows), width: UInt32(spec.width),
      rowsPerBlock: UInt32(spec.rowsPerBlock), initializer: initializer,
      initializerValue: initializerValue, rule: rule, ruleValue: ruleValue)
  }
}

extension Initializer {
  fileprivate var wireForm: (name: String, value: Float) {
    switch self {
    case .constant(let value): ("constant", value)
    case .uniform(let bound): ("uniform", bound)
    case .normal(let standardDeviation): ("normal", standardDeviation)
    case .pushed: ("pushed", 0)
    }
  }

  fileprivate init(_ description: TableDescription) throws(ParameterServerError) {
    let value = description.initializerValue
    switch description.initializer {
    case "constant" where value.isFinite: self = .constant(value)
    case "uniform" where value.isFinite && value >= 0: self = .uniform(bound: value)
    case "normal" where value.isFinite && value >= 0: self = .normal(standardDeviation: value)
    case "pushed": self = .pushed
    default:
      throw ParameterServerError(
        .table,
        """
        Table '\(description.name)' begins with '\(description.initializer)' and value \(value): \
        known are 'constant' with a finite value, 'uniform' and 'normal' with a finite value that \
        is not negative, and 'pushed'. Use the same release of mrdib on all machines.
        """)
    }
  }
}

extension UpdateRule {
  /// The rule with a name as in table descriptions; nil if there is none.
  ///
  /// - Parameter value: the rate of a moving average.
  package static func named(_ name: String, value: Float) -> UpdateRule? {
    switch name {
    case "model": .optimizer(.model)
    case "discriminator": .optimizer(.discriminator)
    case "average" where value > 0 && value <= 1: .movingAverage(rate: value)
    case "assigned": .assigned
    default: nil
    }
  }

  fileprivate var wireForm: (name: String, value: Float) {
    switch self {
    case .optimizer(.model): ("model", 0)
    case .optimizer(.discriminator): ("discriminator", 0)
    case .movingAverage(let rate): ("average", rate)
    case .assigned: ("assigned", 0)
    }
  }

  fileprivate init(_ description: TableDescription) throws(ParameterServerError) {
    let value = description.ruleValue
    guard let rule = Self.named(description.rule, value: value) else {
      throw ParameterServerError(
        .table,
        """
        Table '\(description.name)' is updated by '\(description.rule)' with value \(value): known \
        are 'model', 'discriminator', 'average' with a rate above 0 and at most 1, and 'assigned'. \
        Use the same release of mrdib on all machines.
        """)
    }
    self = rule
  }
}
