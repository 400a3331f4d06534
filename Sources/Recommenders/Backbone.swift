import Datasets
import Tables
import Tensors

/// A recommender whose ranking score is the inner product of a user and an item vector.
///
/// A backbone declares its parameters as tables, selects the rows that a batch needs, and records
/// its loss on a tape. It does not depend on servers, shards of other workers, or optimizers.
///
/// A model that propagates over a graph does so in ``propagate(on:parameters:context:)``, which
/// depends on no batch: a worker calls it once per step for all shards it owns, and runs its
/// backward pass once per shard.
public protocol Backbone: Sendable {
  /// The parameters; positions in this list are the indices used below.
  var tables: [TableSpec] { get }

  /// The rows of each table that the gradient of a batch depends on.
  func rows(for batch: TripletBatch) -> [RowSelection]

  /// The part of the forward pass that depends on no batch. It may read only tables that
  /// ``rows(for:)`` selects as `all`. Most models have none, and those that sample their graphs
  /// (``neighbourhood(of:context:)``) have none either.
  func propagate(on tape: Tape, parameters: [Variable], context: StepContext) -> [Variable]

  /// The sampled part of the graphs that a batch depends on, a function of batch and context; nil
  /// for models without a graph, and for those that propagate over whole graphs.
  func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood?

  /// ``rows(for:)`` of a batch with a neighbourhood. Only models that sample are asked.
  func rows(for batch: TripletBatch, in neighbourhood: Neighbourhood) -> [RowSelection]

  /// The vectors of a batch's nodes from those of its neighbourhood, in place of
  /// ``propagate(on:parameters:context:)``: matrices with one row per distinct user or item of the
  /// batch. Only models that sample are asked.
  ///
  /// - Parameter parameters: for each table the rows of ``rows(for:in:)``, in their order.
  func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable]

  /// The item vectors per modality and the user vectors that score with them: the input of MRdIB.
  /// A model without modalities returns no vectors.
  ///
  /// - Parameter input: the batch, the rows that it needs, and what was propagated.
  func content(on tape: Tape, _ input: BatchInput) -> Content

  /// The vectors of the ranking score with MRdIB's codes as content: what its joint likelihood is
  /// of. Where the score contains no content, the codes' mean is added to the item's vector. Only
  /// models with content are asked.
  ///
  /// - Parameters:
  ///   - content: of some rows of the batch: codes in place of `means`, and the users.
  ///   - rows: which these are.
  /// - Returns: one row per user and per item of `rows`, of one width.
  func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable)

  /// The backbone's own loss, with `items` in place of `content.means` in the scores (and only
  /// there: regularisers stay on the means). Plain training passes `content.means`.
  func loss(
    on tape: Tape, _ input: BatchInput, content: Content, items: [Variable],
    likelihood: Likelihood
  ) -> [LossTerm]

  /// Diagnostics of a shard that are no terms of the loss, multiplied by the shard's share, so that
  /// the sum over shards is the step's mean; see ``Loss/statistics``. Most models have none.
  func statistics(_ input: BatchInput) -> [String: Double]

  /// What the servers keep of a step for later ones, by table: the values that tables with the
  /// rule `movingAverage` are pushed. Every shard of a step must return the same tables, with
  /// values that are the same or an estimate from its own triplets. Most models keep nothing.
  func averages(_ input: BatchInput) -> [Int: Matrix]

  /// The modalities of ``content(on:_:)``, in its order; nil where they are all of the data set.
  var contentModalities: [String]? { get }

  /// How the final vectors are computed.
  var final: FinalVectors { get }

  /// The summands of the ranking score, if it is a sum whose parts mean something; most models have
  /// none.
  var scoreParts: [ScorePart] { get }

  /// How the model gets vectors of items that came after its training; nil if it has vectors only
  /// for the items that it was trained with, as most models do.
  var newItemVectors: NewItemVectors? { get }

  /// The initial values of some rows of a table whose initializer is `pushed`, `[rows, width]`.
  func initialValues(table: Int, rows: Range<Int>) -> Matrix
}

extension Backbone {
  public func propagate(
    on tape: Tape, parameters: [Variable], context: StepContext
  ) -> [Variable] { [] }

  public func neighbourhood(of batch: TripletBatch, context: StepContext) -> Neighbourhood? { nil }

  public func rows(
    for batch: TripletBatch, in neighbourhood: Neighbourhood
  ) -> [RowSelection] { rows(for: batch) }

  public func propagate(
    on tape: Tape, in neighbourhood: Neighbourhood, parameters: [Variable]
  ) -> [Variable] { [] }

  public func content(on tape: Tape, _ input: BatchInput) -> Content { .none }

  public func fused(
    on tape: Tape, _ input: BatchInput, content: Content, rows: BatchRows
  ) -> (users: Variable, items: Variable) {
    preconditionFailure("a model that has no content, or says nothing about its fused vectors")
  }

  public func statistics(_ input: BatchInput) -> [String: Double] { [:] }
  public func averages(_ input: BatchInput) -> [Int: Matrix] { [:] }

  public var contentModalities: [String]? { nil }

  public var scoreParts: [ScorePart] { [] }

  public var newItemVectors: NewItemVectors? { nil }

  public func initialValues(table: Int, rows: Range<Int>) -> Matrix {
    preconditionFailure("table \(tables[table].name) has no initial values of its own")
  }
}

/// What a loss is computed from.
public struct BatchInput {
  public let batch: TripletBatch
  /// Of the batch, if its model samples its graphs.
  public let neighbourhood: Neighbourhood?
  /// For each table the rows of ``Backbone/rows(for:)``, or of ``Backbone/rows(for:in:)``, in their
  /// order.
  public let parameters: [Variable]
  /// What ``Backbone/propagate(on:parameters:context:)`` or
  /// ``Backbone/propagate(on:in:parameters:)`` returned, with the same values.
  public let propagated: [Variable]
  public let context: StepContext

  public init(
    batch: TripletBatch, neighbourhood: Neighbourhood? = nil, parameters: [Variable],
    propagated: [Variable], context: StepContext
  ) {
    self.batch = batch
    self.neighbourhood = neighbourhood
    self.parameters = parameters
    self.propagated = propagated
    self.context = context
  }
}

/// Users or items.
public enum Side: String, Sendable, CaseIterable {
  case user
  case item
}

/// What MRdIB works on, for one batch.
public struct Content {
  /// μ_m per modality: one row per distinct item of the batch, `[J, D]`, in the order of
  /// `batch.distinctItems`.
  public var means: [Variable]
  /// a_m per modality: the users in the space of that modality, `[distinct users, D]`.
  public var users: [Variable]
  /// For a backbone whose score contains no content: the users, `[distinct users, D]`, whose inner
  /// products with the mean of the modalities' vectors give a joint likelihood that MRdIB adds.
  /// Nil where the backbone's ranking term is that likelihood.
  public var jointUsers: Variable?

  public init(means: [Variable], users: [Variable], jointUsers: Variable? = nil) {
    self.means = means
    self.users = users
    self.jointUsers = jointUsers
  }

  public static var none: Content { Content(means: [], users: []) }

  /// Whether the scores use other vectors than the means, such as samples of them.
  func isReplaced(by items: [Variable]) -> Bool {
    zip(items, means).contains { $0 !== $1 }
  }
}

/// Which rows of a table a computation needs.
public enum RowSelection: Sendable, Equatable {
  case none
  case all
  /// Distinct row ids, ascending.
  case listed([Int32])
}

/// The position in a run for which a shard's gradient is computed. Together with the parameters and
/// the data it determines every bit of the gradient.
public struct StepContext: Sendable, Equatable {
  public var seed: UInt64
  public var epoch: Int
  /// The step within its epoch.
  public var step: Int
  public var shard: Int
  /// Whether this is the step's last round, in which the model itself is updated. Earlier rounds
  /// only train the discriminator.
  public var isFinalRound: Bool

  public init(seed: UInt64, epoch: Int, step: Int, shard: Int = 0, isFinalRound: Bool = true) {
    self.seed = seed
    self.epoch = epoch
    self.step = step
    self.shard = shard
    self.isFinalRound = isFinalRound
  }
}
