/// A parameter as the servers see it: `rows` vectors of `width` floats.
///
/// Everything is a table: an embedding has one row per user or item; a weight matrix has one row
/// per output; a bias is a table of one row.
public struct TableSpec: Sendable, Equatable {
  /// Unique in a run; part of what initial values and placement depend on.
  public let name: String
  /// Number of rows.
  public let rows: Int
  /// Numbers in a row.
  public let width: Int
  /// The initial values of the rows.
  public let initializer: Initializer
  /// How the rows are updated.
  public let rule: UpdateRule
  /// Consecutive rows that share a slot (and so a server). Large embeddings use small blocks for
  /// an even spread; a small dense tensor is one block.
  public let rowsPerBlock: Int

  /// Describes a table.
  ///
  /// - Precondition: all extents are positive, and row ids fit into 32 bits.
  public init(
    name: String, rows: Int, width: Int, initializer: Initializer,
    rule: UpdateRule = .optimizer(.model), rowsPerBlock: Int = 16
  ) {
    precondition(rows > 0 && width > 0 && rowsPerBlock > 0, "table \(name): empty")
    precondition(rows <= Int(UInt32.max), "table \(name): \(rows) rows, but row ids have 32 bits")
    self.name = name
    self.rows = rows
    self.width = width
    self.initializer = initializer
    self.rule = rule
    self.rowsPerBlock = rowsPerBlock
  }

  /// The same table with initial values that a worker pushes.
  package var pushed: TableSpec {
    TableSpec(
      name: name, rows: rows, width: width, initializer: .pushed, rule: rule,
      rowsPerBlock: rowsPerBlock)
  }

  /// Number of trainable numbers.
  public var parameterCount: Int {
    if case .optimizer = rule { rows * width } else { 0 }
  }
}

/// How a table is updated.
public enum UpdateRule: Sendable, Equatable {
  /// The run's optimizer, at the learning rate of a group.
  case optimizer(ParameterGroup)
  /// `w ← (1 − rate)·w + rate·g`, where g is the pushed value; the first push sets `w = g`.
  /// Running statistics, such as those of the discriminator, are kept on the servers this way, so
  /// that they are in checkpoints and do not depend on which worker computed them.
  case movingAverage(rate: Float)
  /// Overwritten by `assign` pushes, as final matrices are; no step updates it.
  case assigned
}

/// Parameters that share a learning rate and are updated in the same rounds of a step.
public enum ParameterGroup: UInt8, Sendable, Equatable, CaseIterable {
  /// The backbone and the encoders: descends the training loss once per step.
  case model = 0
  /// The discriminator: ascends its bound in every round of a step.
  case discriminator = 1
}
