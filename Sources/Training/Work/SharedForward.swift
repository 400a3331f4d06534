internal import Autodiff
internal import Models
internal import Tables
internal import Tensors

/// The part of a step's forward pass that no batch influences: computed once per step for all
/// shards of a worker, and played back once per shard, because sums in another order would be
/// other bits.
final class SharedForward {
  private let tape: Tape
  private var parameters: [Variable] = []
  private(set) var propagated: [Variable] = []

  init(tape: Tape) { self.tape = tape }

  /// - Parameters:
  ///   - pulled: rows of each table; those that are read here are whole.
  func record(_ pulled: [Matrix?], model: TrainingModel, context: StepContext) {
    tape.reset()
    parameters = pulled.enumerated().map { table, matrix in
      matrix.map { tape.parameter($0) }
        ?? tape.constant(Matrix(rows: 0, columns: model.tables[table].width))
    }
    propagated = model.propagate(on: tape, parameters: parameters, context: context)
  }

  /// Adds what one shard's gradients of the propagated values mean for the tables.
  ///
  /// - Parameters:
  ///   - leaves: the shard's own leaves with the propagated values.
  ///   - gradients: the shard's gradients so far, by table.
  ///   - shardTape: where a sum may live until the gradients are on their way.
  func addGradients(
    of leaves: [Variable], to gradients: inout [Matrix?], on shardTape: Tape
  ) {
    let seeds = zip(propagated, leaves).compactMap { variable, leaf in
      leaf.gradient.map { (variable: variable, gradient: $0) }
    }
    guard !seeds.isEmpty else { return }
    tape.backward(seeding: seeds)
    for (table, parameter) in parameters.enumerated() {
      guard let gradient = parameter.gradient else { continue }
      let sum = shardTape.matrix(rows: gradient.rows, columns: gradient.columns)
      sum.copy(from: gradient)
      if let own = gradients[table] {
        BLAS.accumulate(own.pointer, into: sum.pointer, count: own.count)
      }
      gradients[table] = sum
    }
    tape.clearGradients()
  }
}
