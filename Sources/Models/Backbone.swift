public import Autodiff
public import Datasets
public import Tables
public import Tensors

/// A recommender whose ranking score is the inner product of a user and an item vector.
///
/// A backbone declares its parameters as tables, says which rows a batch needs, and records its
/// loss on a tape. It knows nothing of servers, shards of other workers, or optimizers.
public protocol Backbone: Sendable {
  /// The parameters; positions in this list are the indices used below.
  var tables: [TableSpec] { get }

  /// The rows of each table that the gradient of a batch depends on.
  func rows(for batch: TripletBatch) -> [RowSelection]

  /// The item vectors per modality and the user vectors that they meet: where MRdIB attaches.
  /// A model without modalities returns no vectors.
  func content(on tape: Tape, parameters: [Variable], batch: TripletBatch) -> Content

  /// The backbone's own loss, with `items` in place of `content.means` in the scores (and only
  /// there: regularisers stay on the means). Plain training passes `content.means`.
  func loss(
    on tape: Tape, parameters: [Variable], batch: TripletBatch, content: Content,
    items: [Variable], likelihood: Likelihood
  ) -> [LossTerm]

  /// Where the vectors that rank come from.
  func finalSource(_ side: Side) -> FinalSource

  /// The rows of each table that a range of final vectors depends on.
  func rowsForFinal(_ side: Side, range: Range<Int>) -> [RowSelection]

  /// Final vectors, `[range.count, D]`, of a side whose source is `computed`. `parameters` holds
  /// the rows that ``rowsForFinal(_:range:)`` asked for.
  func finalVectors(_ side: Side, range: Range<Int>, parameters: [Matrix]) -> Matrix
}

/// Users or items.
public enum Side: String, Sendable, CaseIterable {
  case user
  case item
}

/// Where final vectors come from.
public enum FinalSource: Sendable, Equatable {
  /// They are the rows of a table.
  case table(Int)
  /// They are computed from several tables, with this width.
  case computed(width: Int)
}

/// What MRdIB works on, for one batch.
public struct Content {
  /// μ_m per modality: one row per distinct item of the batch, `[J, D]`, in the order of
  /// `batch.distinctItems`.
  public var means: [Variable]
  /// a_m per modality: the users in the space of that modality, `[distinct users, D]`.
  public var users: [Variable]

  public init(means: [Variable], users: [Variable]) {
    self.means = means
    self.users = users
  }

  public static var none: Content { Content(means: [], users: []) }
}
