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
  /// How the rows begin.
  public let initializer: Initializer
  /// Who updates the rows.
  public let rule: UpdateRule
  /// Neighbouring rows that share a slot (and so a server). Large embeddings use small blocks for
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

  /// Number of trainable numbers.
  public var parameterCount: Int {
    if case .optimizer = rule { rows * width } else { 0 }
  }
}
