public import Datasets
public import Graphs

/// What a model can be built from.
public struct ModelOptions: Sendable {
  public var embeddingSize: Int
  /// λ, the `reg_weight` of the reference toolbox.
  public var regularization: Float
  /// `n_layers`: propagations over the interaction graph.
  public var layers = 2
  /// `knn_k`: neighbours of an item in a modality's graph, the item itself included.
  public var itemNeighbours = 10
  /// `train_batch_size`, the triplets of a full step; MGCN's regulariser is divided by it.
  public var batchSize = 2048
  /// `cl_weight`: MGCN's c, SOIL's c₁.
  public var contrastiveWeight: Float = 0.01
  /// `cl_weight_joint`: SOIL's c₂.
  public var jointContrastiveWeight: Float = 0.01
  /// `trainable_features`: whether MGCN trains a copy of the features (faithful) or leaves them as
  /// they are (fixed, and as its paper has it).
  public var trainsFeatures = true
  /// `interest_k`: SOIL's k_i, the items that a user's interest adds per modality.
  public var interestCount = 10
  /// `second_order_k`: SOIL's k_a, the items per user that the second-order graph adds.
  public var secondOrderCount = 2
  /// `second_order_degrees`: which degrees normalise SOIL's second-order user-item graph.
  public var secondOrderDegrees = SecondOrderDegrees.faithful
  /// `trainable_ids`: whether MMGCN trains its id and preference vectors (fixed) or leaves them at
  /// their initial values (faithful).
  public var trainsIDs = false
  /// `alias_bug`: whether DualGNN's users see the sum of modalities where one was meant (faithful).
  public var hasAliasBug = true
  /// `user_neighbours`: K, the users that DualGNN aggregates per user.
  public var userNeighbours = 40
  /// `neighbour_padding`: whether DualGNN fills short neighbour lists with random repeats, anew in
  /// every epoch (faithful), or leaves them short (fixed).
  public var padsNeighbours = true
  /// Names the untrained random vectors of a model; set by ``ModelRegistry``.
  var seed: UInt64 = 0
  /// `dropout`: ρ, the share of interactions that an epoch of FREEDOM leaves out.
  public var edgeDropout = 0.8
  /// `mm_image_weight`: the first modality's weight in FREEDOM's item graph; the others share the
  /// rest evenly.
  public var firstModalityWeight: Float = 0.1
  /// `item_graph_weights`: every modality's weight in FREEDOM's item graph, instead of
  /// ``firstModalityWeight``; empty for that.
  public var itemGraphWeights: [Float] = []
  /// `routing`: whether GRCN's routing reaches the users (fixed) or not (faithful).
  public var isRouted = false
  /// `stale_ranking`: whether a full-graph model ranks with the vectors of its last training
  /// forward; nil for what the reference does, which depends on the model.
  public var staleRanking: Bool?

  public init(embeddingSize: Int, regularization: Float) {
    self.embeddingSize = embeddingSize
    self.regularization = regularization
  }
}

/// How much of a data set a model needs: enough to count parameters without the features' values.
public struct ModelInput: Sendable {
  public var userCount: Int
  public var itemCount: Int
  public var features: [FeatureMatrix]
  /// What models that propagate over graphs take them from; nil where none is trained or ranked.
  public var graphs: GraphStore?

  public init(
    userCount: Int, itemCount: Int, features: [FeatureMatrix], graphs: GraphStore? = nil
  ) {
    self.userCount = userCount
    self.itemCount = itemCount
    self.features = features
    self.graphs = graphs
  }

  public init(_ dataset: Dataset, graphs: GraphStore? = nil) {
    self.init(
      userCount: dataset.userCount, itemCount: dataset.itemCount, features: dataset.features,
      graphs: graphs)
  }
}

/// A model cannot be built from this data and configuration.
public struct ModelError: Error, CustomStringConvertible {
  public let description: String
}

/// The models by name. Adding one is a file under `Backbones` and a line here.
public struct ModelRegistry {
  struct Entry {
    let name: String
    let needsFeatures: Bool
    /// Whether MRdIB has a place in it: ``Backbone/content(on:_:)`` returns vectors.
    var hasContent = true
    let make: @Sendable (ModelInput, ModelOptions) throws -> any Backbone
  }

  static let entries: [Entry] = [
    Entry(name: "bpr", needsFeatures: false, hasContent: false) { input, options in
      BPR(
        userCount: input.userCount, itemCount: input.itemCount,
        embeddingSize: options.embeddingSize, regularization: options.regularization)
    },
    Entry(name: "dualgnn", needsFeatures: true) { DualGNN($0, options: $1) },
    Entry(name: "freedom", needsFeatures: true) { try FREEDOM($0, options: $1) },
    Entry(name: "grcn", needsFeatures: true, hasContent: false) { GRCN($0, options: $1) },
    Entry(name: "lightgcn", needsFeatures: false, hasContent: false) { LightGCN($0, options: $1) },
    Entry(name: "mgcn", needsFeatures: true) { MGCN($0, options: $1) },
    Entry(name: "mmgcn", needsFeatures: true) { MMGCN($0, options: $1) },
    Entry(name: "soil", needsFeatures: true) { SOIL($0, options: $1) },
    Entry(name: "vbpr", needsFeatures: true) { input, options in
      VBPR(
        userCount: input.userCount, itemCount: input.itemCount, features: input.features,
        embeddingSize: options.embeddingSize, regularization: options.regularization)
    },
  ]

  /// Names in alphabetical order.
  public static var names: [String] { entries.map(\.name).sorted() }

  /// Whether a model reads item features.
  public static func needsFeatures(_ name: String) -> Bool {
    entries.first { $0.name == name }?.needsFeatures ?? false
  }

  /// Builds a model, with MRdIB when options for it are given.
  ///
  /// - Throws: ``ModelError`` for an unknown name, missing features, or an objective that the
  ///   model has no place for.
  public static func make(
    _ name: String, input: ModelInput, options: ModelOptions, objective: MRdIBOptions?,
    seed: UInt64
  ) throws -> TrainingModel {
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw ModelError(
        description: "Cannot build model '\(name)': the models are "
          + names.joined(separator: ", ") + ".")
    }
    if entry.needsFeatures && input.features.isEmpty {
      throw ModelError(
        description: "Cannot build model '\(name)': it reads item features and the data set has "
          + "none. Add feature files (*_feat.npy) or choose a model without features: "
          + entries.filter { !$0.needsFeatures }.map(\.name).sorted().joined(separator: ", ")
          + ".")
    }
    var options = options
    options.seed = seed
    let backbone = try entry.make(input, options)
    var mrdib: MRdIB?
    if let objective {
      guard entry.hasContent else {
        throw ModelError(
          description: "Cannot train '\(name)' with --objective mrdib: the objective works on the "
            + "vectors of modalities and this model has none. Choose --objective plain or a "
            + "multimodal model.")
      }
      mrdib = MRdIB(
        options: objective, modalities: input.features.map(\.name), width: options.embeddingSize)
    }
    return TrainingModel(
      backbone: backbone, objective: mrdib, userCount: input.userCount,
      itemCount: input.itemCount)
  }
}
