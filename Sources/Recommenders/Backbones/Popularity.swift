import Datasets
import Settings
import Tables
import Tensors

/// Popularity: every user gets the items with the most training interactions.
///
///     s(u, i) = c_i,  the training interactions of item i
///
/// The baseline that any personal ranking has to beat. As an inner product: the user vector is 1,
/// the item vector is c_i. Counts are exact up to 2²⁴; items of equal count rank by ascending id.
///
/// - Parameters: none that are trained; user `[U, 1]` is 1, item `[I, 1]` the counts.
public struct Popularity: UntrainedBackbone {
  public static let name = "pop"
  public static let coldItems = ColdItemRanking.last
  public static let defaults = """
    # Popularity: the number of training interactions ranks; nothing is trained.
    objective: plain  # there is no content to encode
    epochs: 1         # the first evaluation is the last
    """

  public let tables: [TableSpec]
  private let input: ModelInput

  public init(_ input: ModelInput, _ settings: SettingValues<NoSettings>) {
    self.input = input
    tables = [
      TableSpec(
        name: "user", rows: input.userCount, width: 1, initializer: .constant(1), rule: .assigned),
      TableSpec(
        name: "item", rows: input.itemCount, width: 1, initializer: .pushed, rule: .assigned),
    ]
  }

  /// The counts of some items, `[rows, 1]`.
  ///
  /// - Precondition: the model was built with graphs.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    let counts = input.requiredGraphs.dataset.trainingCounts
    let result = Matrix(rows: rows.count, columns: 1)
    for (position, item) in rows.enumerated() { result[position, 0] = Float(counts[item]) }
    return result
  }

  public var final: FinalVectors { .tables(user: 0, item: 1) }
}
