import Datasets
import Tables
import Tensors

/// A backbone with its objective: everything that a worker needs to compute gradients and final
/// vectors, and the list of tables that the servers hold.
///
/// Table indices: the backbone's tables, then the objective's, then the final matrices that are
/// computed rather than stored, then those of the layers before them.
public struct TrainingModel: Sendable {
  public let backbone: any Backbone
  public let objective: MRdIB?
  /// The choices that the backbone's ranking term is in place of its own; nil for its own.
  public let backboneCandidates: CandidateRule?
  public private(set) var tables: [TableSpec]
  /// The tables as the backbone and the objective describe them.
  private let ownTables: [TableSpec]
  /// What the run begins with instead of the model's own initial values; nil for those.
  public private(set) var initialWeights: InitialWeights?
  /// The tables that hold the final vectors.
  public let finalTables: (user: Int, item: Int)
  /// The tables that hold the vectors of every other layer before the last, while final vectors are
  /// computed layer by layer; nil where none are needed.
  private let layerTables: (user: Int, item: Int)?

  public init(
    backbone: any Backbone, objective: MRdIB?, backboneCandidates: CandidateRule? = nil,
    userCount: Int, itemCount: Int
  ) {
    self.backbone = backbone
    self.objective = objective
    self.backboneCandidates = backboneCandidates
    var tables = backbone.tables + (objective?.tables ?? [])
    func addAssigned(_ name: String, _ side: Side, width: Int) -> Int {
      tables.append(
        TableSpec(
          name: "\(name).\(side)", rows: side == .user ? userCount : itemCount, width: width,
          initializer: .constant(0), rule: .assigned))
      return tables.count - 1
    }
    func addFinal(_ side: Side, width: Int) -> Int { addAssigned("final", side, width: width) }
    func addLayer(width: Int) -> (user: Int, item: Int) {
      let user = addAssigned("layer", .user, width: width)
      return (user, addAssigned("layer", .item, width: width))
    }
    var layerTables: (user: Int, item: Int)?
    switch backbone.final {
    case .tables(let user, let item):
      finalTables = (user, item)
    case .rows(let final):
      let computed = addFinal(final.side, width: final.width)
      finalTables =
        final.side == .user ? (computed, final.otherTable) : (final.otherTable, computed)
    case .whole(let final):
      let user = addFinal(.user, width: final.width)
      finalTables = (user, addFinal(.item, width: final.width))
    case .layered(let final):
      let user = addFinal(.user, width: final.width)
      finalTables = (user, addFinal(.item, width: final.width))
      if final.layers > 1 { layerTables = addLayer(width: final.width) }
    }
    self.layerTables = layerTables
    self.tables = tables
    ownTables = tables
  }

  /// The same model, which begins with weights of an earlier run. Rows that those lack, of users
  /// and items that are new, begin with the values that they have in a run from the beginning.
  ///
  /// - Throws: ``ModelError`` if the weights are of other tables.
  public func starting(
    from weights: InitialWeights, userCount: Int, itemCount: Int
  ) throws(ModelError) -> TrainingModel {
    try weights.check(fit: ownTables, userCount: userCount, itemCount: itemCount)
    var model = self
    model.initialWeights = weights
    model.tables = ownTables.map { weights.rowCount(of: $0) > 0 ? $0.pushed : $0 }
    return model
  }

  /// Numbers that training changes: what the reference prints as "trainable parameters" for the
  /// backbone, plus those of the objective.
  public var parameterCount: Int { tables.reduce(0) { $0 + $1.parameterCount } }

  /// The table that holds the final vectors of a side.
  public func finalTable(_ side: Side) -> Int {
    side == .user ? finalTables.user : finalTables.item
  }

  /// The table that holds a side's vectors of a layer while final vectors are computed layer by
  /// layer: two tables in turn, so that the last layer is in the final one.
  ///
  /// - Parameter layer: from 0, which is the table of the model itself.
  public func layerTable(_ layer: Int, of final: LayeredFinalVectors, _ side: Side) -> Int {
    let tables: (user: Int, item: Int)
    if layer == 0 {
      tables = final.tables
    } else if let layerTables, !(final.layers - layer).isMultiple(of: 2) {
      tables = layerTables
    } else {
      tables = finalTables
    }
    return side == .user ? tables.user : tables.item
  }

  /// The tables that a saved model has: all but those of the layers before the final vectors.
  public var savedTables: [Int] {
    tables.indices.filter { $0 != layerTables?.user && $0 != layerTables?.item }
  }

  /// The sampled part of the graphs that a batch depends on; see
  /// ``Backbone/neighbourhood(of:context:)``.
  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood? {
    backbone.neighbourhood(of: batch, context: context)
  }

  /// The rows of each table that the gradient of a batch depends on.
  ///
  /// - Parameter neighbourhood: of the batch, if the model samples its graphs.
  public func rows(
    for batch: TripletBatch, in neighbourhood: Neighbourhood? = nil
  ) -> [RowSelection] {
    let own =
      neighbourhood.map { backbone.rows(for: batch, in: $0) } ?? backbone.rows(for: batch)
    return extended(own + (objective?.rows() ?? []))
  }

  /// Selections of the first tables, extended by empty selections of the others.
  public func extended(_ selections: [RowSelection]) -> [RowSelection] {
    selections + Array(repeating: .none, count: tables.count - selections.count)
  }

  /// The initial values of some rows of a table whose initializer is `pushed`, `[rows, width]`.
  ///
  /// - Parameters:
  ///   - seed: of the run.
  ///   - itemCount: of the data set.
  public func initialValues(
    table: Int, rows: Range<Int>, seed: UInt64, itemCount: Int
  ) -> Matrix {
    guard let initialWeights else {
      return ownInitialValues(table: table, rows: rows, seed: seed, itemCount: itemCount)
    }
    let spec = ownTables[table]
    let values = Matrix(rows: rows.count, columns: spec.width)
    let known = rows.clamped(to: 0..<initialWeights.rowCount(of: spec))
    initialWeights.copy(known, of: spec, to: values.pointer)
    let new = known.isEmpty ? rows : known.upperBound..<rows.upperBound
    guard !new.isEmpty else { return values }
    let own = ownInitialValues(table: table, rows: new, seed: seed, itemCount: itemCount)
    withExtendedLifetime(own) {
      values.row(known.count).baseAddress?.update(from: own.pointer, count: own.count)
    }
    return values
  }

  private func ownInitialValues(
    table: Int, rows: Range<Int>, seed: UInt64, itemCount: Int
  ) -> Matrix {
    let spec = ownTables[table]
    guard spec.initializer == .pushed else {
      let values = Matrix(rows: rows.count, columns: spec.width)
      for (index, row) in rows.enumerated() {
        spec.initializer.fill(values.row(index), table: spec.name, row: row, seed: seed)
      }
      return values
    }
    guard table >= backbone.tables.count, let objective else {
      return backbone.initialValues(table: table, rows: rows)
    }
    return objective.initialValues(
      table: table - backbone.tables.count,
      scales: backbone.initialContentScales(
        seed: seed, itemCount: itemCount, absence: objective.absence))
  }

  /// Records what depends on no batch; see ``Backbone/propagate(on:parameters:context:)``.
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] {
    backbone.propagate(
      on: tape, parameters: Array(parameters[..<backbone.tables.count]), context: context)
  }

  /// Records the vectors of a batch's nodes; see ``Backbone/propagate(on:in:parameters:)``.
  public func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable] {
    backbone.propagate(
      on: tape, in: neighbourhood, parameters: Array(parameters[..<backbone.tables.count]))
  }

  /// Records the loss of one shard.
  ///
  /// - Parameter input: for each table the rows of ``rows(for:in:)``, in their order.
  public func record(on tape: Tape, _ input: BatchInput) -> Loss {
    let backboneCount = backbone.tables.count
    let own = BatchInput(
      batch: input.batch, neighbourhood: input.neighbourhood,
      parameters: Array(input.parameters[..<backboneCount]), propagated: input.propagated,
      context: input.context)
    var loss = recordTerms(on: tape, own, input)
    if input.context.isFinalRound {
      loss.statistics.merge(backbone.statistics(own)) { objective, _ in objective }
    }
    return loss
  }

  /// - Parameter own: the part of the input that is the backbone's.
  private func recordTerms(on tape: Tape, _ own: BatchInput, _ input: BatchInput) -> Loss {
    let backboneCount = backbone.tables.count
    let likelihood = backboneCandidates.map { Likelihood.candidates($0.candidates(of: own.batch)) }
    var loss: Loss
    if let objective {
      let parameters = input.parameters[backboneCount..<backboneCount + objective.tables.count]
      loss = objective.record(
        on: tape, backbone: backbone, own, parameters: Array(parameters),
        firstTable: backboneCount, backboneLikelihood: likelihood)
    } else {
      let content = backbone.content(on: tape, own)
      loss = Loss(
        terms: backbone.loss(
          on: tape, own, content: content, items: content.means,
          likelihood: likelihood ?? .bpr))
    }
    for (table, values) in backbone.averages(own) {
      let share = tape.matrix(rows: values.rows, columns: values.columns)
      for index in 0..<share.count {
        share.pointer[index] = values.pointer[index] * input.batch.share
      }
      loss.averages[table] = share
    }
    return loss
  }
}
