import Tensors

/// Names a table on the wire. Ids are positions in the run's list of tables.
public struct TableID: RawRepresentable, Hashable, Sendable, Comparable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A parameter as the servers see it: `rows` vectors of `width` floats.
///
/// Everything is a table: an embedding has one row per user or item; a weight matrix has one row
/// per output; a bias is a table of one row.
public struct TableSpec: Sendable, Equatable {
  public let name: String
  public let rows: Int
  public let width: Int
  public let initializer: Initializer
  public let rule: UpdateRule
  /// Neighbouring rows that share a slot (and so a server). Large embeddings use small blocks for
  /// an even spread; a small dense tensor is one block.
  public let rowsPerBlock: Int

  public init(
    name: String, rows: Int, width: Int, initializer: Initializer,
    rule: UpdateRule = .optimizer(.model), rowsPerBlock: Int = 16
  ) {
    precondition(rows > 0 && width > 0 && rowsPerBlock > 0, "table \(name): empty")
    self.name = name
    self.rows = rows
    self.width = width
    self.initializer = initializer
    self.rule = rule
    self.rowsPerBlock = rowsPerBlock
  }

  /// Number of trainable numbers.
  public var parameterCount: Int {
    if case .optimizer = rule { rows * width } else { 0 }
  }
}

/// Who updates a table and how.
public enum UpdateRule: Sendable, Equatable {
  /// The run's optimizer, at the learning rate of a group.
  case optimizer(ParameterGroup)
  /// `w ← (1 − rate)·w + rate·g`, where g is the pushed value; the first push sets `w = g`.
  /// Running statistics (of the discriminator, say) live on the servers this way, so that they
  /// survive with the parameters and do not depend on which worker computed them.
  case movingAverage(rate: Float)
  /// Written whole by `assign` pushes: final matrices and the like. Never updated by a step.
  case assigned
}

/// Parameters that share a learning rate and are updated in the same rounds of a step.
public enum ParameterGroup: UInt8, Sendable, Equatable, CaseIterable {
  /// The backbone and the encoders: descends the training loss once per step.
  case model = 0
  /// The discriminator: climbs its bound in every round of a step.
  case discriminator = 1
}
