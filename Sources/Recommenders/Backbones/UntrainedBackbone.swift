import Datasets
import Tables
import Tensors

/// A model whose vectors follow from the data alone: nothing is trained.
///
/// It takes part in a run like every model, so that the same commands train, rank, export and
/// compare it. No batch needs a row, its loss is 0, and its tables have the rule `assigned`: they
/// are filled before the first step and stay as they are. One epoch (`epochs: 1` in the model's
/// defaults) is enough for the evaluation.
protocol UntrainedBackbone: NamedBackbone {}

extension UntrainedBackbone {
  public static var hasRankingTerm: Bool { false }

  public func rows(for batch: TripletBatch) -> [RowSelection] { tables.map { _ in .none } }

  public func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm] {
    let zero = Matrix(rows: 1, columns: 1)
    return [.additive(LossTerm.rankingName, tape.constant(zero), weight: 1)]
  }
}
