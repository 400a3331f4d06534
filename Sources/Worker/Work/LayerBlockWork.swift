import Recommenders
import Tensors

/// The vectors of one block in one layer, as a sum of parts that are pulled one after the other.
final class LayerBlockWork {
  private let final: LayeredFinalVectors
  private let model: TrainingModel
  private var terms: FlattenSequence<[AnySequence<LayeredFinalVectors.Term>]>.Iterator
  private var term: LayeredFinalVectors.Term?
  /// The sum of the parts so far, `[rows of the block, D]`.
  let vectors: Matrix

  init(
    _ final: LayeredFinalVectors, layer: Int, _ block: LayeredFinalVectors.Block,
    model: TrainingModel
  ) {
    self.final = final
    self.model = model
    terms = final.terms(block, layer: layer).makeIterator()
    vectors = Matrix(rows: block.rows.count, columns: final.width)
    vectors.fill(0)
  }

  /// The rows of each table that the next part needs; nil after the last.
  func next() -> [RowSelection]? {
    // A part without rows adds nothing.
    repeat { term = terms.next() } while term?.rows.isEmpty == true
    guard let term else { return nil }
    var rows = [RowSelection](repeating: .none, count: model.tables.count)
    rows[model.layerTable(term.layer, of: final, term.side)] = .listed(term.rows)
    return rows
  }

  /// Adds a part from its rows.
  func add(_ pulled: [Matrix?]) {
    guard let term, let rows = pulled[model.layerTable(term.layer, of: final, term.side)] else {
      return
    }
    term.matrix.multiply(rows, into: vectors, adds: true)
  }
}
