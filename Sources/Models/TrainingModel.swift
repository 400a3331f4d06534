public import Autodiff
public import Datasets
public import Tables
internal import Tensors

/// A backbone with its objective: everything that a worker needs to compute gradients and final
/// vectors, and the list of tables that the servers hold.
///
/// Table indices: the backbone's tables, then the objective's, then the final matrices that are
/// computed rather than stored.
public struct TrainingModel: Sendable {
  public let backbone: any Backbone
  public let objective: MRdIB?
  public let tables: [TableSpec]
  private let finalTables: [Side: Int]

  public init(backbone: any Backbone, objective: MRdIB?, userCount: Int, itemCount: Int) {
    self.backbone = backbone
    self.objective = objective
    var tables = backbone.tables + (objective?.tables ?? [])
    var finalTables: [Side: Int] = [:]
    for side in Side.allCases {
      switch backbone.finalSource(side) {
      case .table(let index): finalTables[side] = index
      case .computed(let width):
        finalTables[side] = tables.count
        tables.append(
          TableSpec(
            name: "final.\(side)", rows: side == .user ? userCount : itemCount, width: width,
            initializer: .constant(0), rule: .assigned))
      }
    }
    self.tables = tables
    self.finalTables = finalTables
  }

  /// Numbers that training changes: what the reference prints as "trainable parameters" for the
  /// backbone, plus those of the objective.
  public var parameterCount: Int { tables.reduce(0) { $0 + $1.parameterCount } }

  /// The table that holds the final vectors of a side.
  public func finalTable(_ side: Side) -> Int {
    guard let index = finalTables[side] else { preconditionFailure("no final \(side) table") }
    return index
  }

  /// The sides whose final vectors must be computed before an evaluation.
  public var computedSides: [Side] {
    Side.allCases.filter { if case .computed = backbone.finalSource($0) { true } else { false } }
  }

  /// The rows of each table that the gradient of a batch depends on.
  public func rows(for batch: TripletBatch) -> [RowSelection] {
    var selections = backbone.rows(for: batch) + (objective?.rows() ?? [])
    while selections.count < tables.count { selections.append(.none) }
    return selections
  }

  /// The rows of each table that a range of computed final vectors depends on.
  public func rowsForFinal(_ side: Side, range: Range<Int>) -> [RowSelection] {
    var selections = backbone.rowsForFinal(side, range: range)
    while selections.count < tables.count { selections.append(.none) }
    return selections
  }

  /// Records the loss of one shard.
  ///
  /// - Parameter parameters: for each table the rows of ``rows(for:)``, in their order.
  public func record(
    on tape: Tape, parameters: [Variable], batch: TripletBatch, context: StepContext
  ) -> Loss {
    let backboneCount = backbone.tables.count
    let own = Array(parameters[..<backboneCount])
    if let objective {
      return objective.record(
        on: tape, backbone: backbone, backboneParameters: own,
        parameters: Array(parameters[backboneCount..<backboneCount + objective.tables.count]),
        firstTable: backboneCount, batch: batch, context: context)
    }
    let content = backbone.content(on: tape, parameters: own, batch: batch)
    return Loss(
      terms: backbone.loss(
        on: tape, parameters: own, batch: batch, content: content, items: content.means,
        likelihood: .bpr))
  }
}
