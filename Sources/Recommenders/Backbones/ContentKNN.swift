import Datasets
import Settings
import Tables
import Tensors

/// Nearest items by content: an item scores by its similarity with what the user has.
///
///     s(u, i) = Σ_{j ∈ N(u)} 1 / M · Σ_m cos(x_{m,i}, x_{m,j})
///
/// N(u) are the user's training items, x_{m,i} the features of item i in modality m, and M the
/// number of modalities. A row of zeros has the cosine 0 with every row. With x̂ the rows of length
/// 1 the score is an inner product:
///
///     Û_u = 1 / M · [Σ_{j ∈ N(u)} x̂_{1,j} | …],  Î_i = [x̂_{1,i} | …],  s(u, i) = ⟨Û_u, Î_i⟩
///
/// All items of a user count, not only the k nearest, because a sum over the nearest is no inner
/// product. Interactions with an item are not needed to rank it: what cold items can be expected to
/// reach without training.
///
/// - Parameters: none that are trained; item Î `[I, ΣF]`, first modality first.
/// - Source: content-based nearest neighbours as in Lops, de Gemmis and Semeraro 2011,
///   "Content-based recommender systems: state of the art and trends", in Recommender Systems
///   Handbook, §3.3.
public struct ContentKNN: UntrainedBackbone {
  public static let name = "itemknn_content"
  public static let needsFeatures = true
  public static let ranksNewItems = true
  public static let defaults = """
    # Nearest items by content: cosines with the features of the user's items; nothing is trained.
    objective: plain  # there is no vector to encode
    epochs: 1         # the first evaluation is the last
    """

  public let tables: [TableSpec]
  private let input: ModelInput
  private let width: Int

  /// - Precondition: at least one modality.
  public init(_ input: ModelInput, _ settings: SettingValues<NoSettings>) {
    precondition(!input.features.isEmpty, "content without features")
    self.input = input
    width = input.features.reduce(0) { $0 + $1.columns }
    tables = [
      TableSpec(
        name: "item", rows: input.itemCount, width: width, initializer: .pushed, rule: .assigned)
    ]
  }

  /// The vectors of some items, `[rows, ΣF]`.
  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    input.features.unitRows(rows.map(Int32.init))
  }

  public var final: FinalVectors {
    .rows(
      RowwiseFinalVectors(
        side: .user, otherTable: 0, width: width, rows: { _ in [.none] },
        compute: { users, _ in userVectors(users) }))
  }

  /// As of the trained items: the features, scaled.
  public var newItemVectors: NewItemVectors? {
    .computed(tables: []) { features, _ in
      features.unitRows(Array(0..<Int32(features[0].rows)))
    }
  }

  /// `[users.count, ΣF]`: each is the sum of the user's items, in the order of their ids.
  private func userVectors(_ users: Range<Int>) -> Matrix {
    let train = input.requiredGraphs.dataset.train
    let share = 1 / Float(input.features.count)
    let result = Matrix(rows: users.count, columns: width)
    for (position, user) in users.enumerated() {
      let items = input.features.unitRows(Array(train[user]))
      let target = result.pointer + position * width
      withExtendedLifetime(items) {
        for row in 0..<items.rows {
          let source = items.pointer + row * width
          for column in 0..<width { target[column] += source[column] * share }
        }
      }
    }
    return result
  }
}

extension [FeatureMatrix] {
  /// The features of some items side by side, first modality first, each modality's row scaled to
  /// length 1; rows of zeros stay. `[items.count, ΣF]`.
  ///
  /// - Parameter clearsMissing: whether a modality that an item lacks is zeros, whatever stands in
  ///   its row.
  func unitRows(_ items: [Int32], clearsMissing: Bool = false) -> Matrix {
    let width = reduce(0) { $0 + $1.columns }
    let result = Matrix(rows: items.count, columns: width)
    Lanes.current.forEachRange(of: items.count, elements: width) { range in
      for position in range {
        var target = result.pointer + position * width
        for feature in self {
          feature.copyRow(Int(items[position]), to: target)
          var squares = 0.0
          for column in 0..<feature.columns { squares += Double(target[column] * target[column]) }
          let counts = squares > 0 && !(clearsMissing && !feature.isPresent(Int(items[position])))
          let scale = counts ? Float(1 / squares.squareRoot()) : 0
          for column in 0..<feature.columns { target[column] *= scale }
          target += feature.columns
        }
      }
    }
    return result
  }
}
