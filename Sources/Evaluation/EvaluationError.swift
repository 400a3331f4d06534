/// Why a ranking could not be made or its sums not be read.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// A score is infinite or not a number: the parameters are.
  case scoreNotFinite(subject: String, item: Int, score: Float)
  /// Matrices and lists that do not belong together.
  case shapesDisagree(String)
  /// A report of sums lacks a value, or holds one that cannot be.
  case invalidSum(name: String, found: Double?)

  public var description: String {
    switch self {
    case .scoreNotFinite(let subject, let item, let score):
      "Ranking items for \(subject): the score of item \(item) is \(score), so the embeddings hold"
        + " infinite values or NaN; the run has diverged: lower learning_rate."
    case .shapesDisagree(let detail):
      "Ranking items: \(detail)."
    case .invalidSum(let name, let found?):
      "Reading metric sums: \(name) is \(found); expected a finite number that is not negative."
    case .invalidSum(let name, nil):
      "Reading metric sums: \(name) is missing; do all processes run with the same topk?"
    }
  }
}
