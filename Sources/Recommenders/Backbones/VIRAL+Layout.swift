import Settings
import Tables
import Tensors

extension VIRAL {
  /// The tables of a model.
  struct Layout: Sendable {
    /// The vectors that make up an item, in the order of the columns.
    struct Block: Sendable {
      let name: String
      let source: Source
      let branch: PreferenceBranch
    }

    let list: TableList
    /// Maps vision to D_in.
    let projection: LinearLayer?
    let synergy: SynergyBlocks?
    let redundancy: RedundancyBlock?
    let blocks: [Block]
    /// w, `[U, blocks]`; nil where users are not weighted.
    let userWeight: Int?

    /// - Parameters:
    ///   - names: of vision and text.
    ///   - width: D_in.
    ///   - projectedWidth: the columns of vision that a trained layer maps to D_in; nil for none.
    init(
      userCount: Int, names: (vision: String, text: String), width: Int, projectedWidth: Int?,
      embeddingSize: Int, settings: SettingValues<Settings>
    ) {
      var list = TableList()
      let fusion = settings.fusion
      projection = projectedWidth.map {
        LinearLayer("\(names.vision).projection", inputs: $0, outputs: width, in: &list)
      }
      synergy = fusion == .concat ? nil : SynergyBlocks(width: width, in: &list)
      redundancy = fusion == .full ? RedundancyBlock(width: width, in: &list) : nil
      blocks = fusion.sources.map { source in
        let name =
          switch source {
          case .text: names.text
          case .vision: names.vision
          case .synergy: "synergy"
          }
        return Block(
          name: name, source: source,
          branch: PreferenceBranch(
            name, userCount: userCount, featureWidth: width, width: embeddingSize,
            isDeep: !(fusion == .full && source == .vision), in: &list))
      }
      userWeight =
        fusion == .concat && !settings.weighsConcatenation
        ? nil
        : list.add("user.weight", rows: userCount, width: blocks.count, initializer: .pushed)
      self.list = list
    }
  }

  /// The parameters of a model with these sizes.
  ///
  /// - Parameters:
  ///   - width: D_in.
  ///   - projectedWidth: the columns of vision that a trained layer maps to D_in; nil for none.
  public static func tables(
    userCount: Int, width: Int, projectedWidth: Int? = nil, embeddingSize: Int,
    settings: SettingValues<Settings>
  ) -> [TableSpec] {
    Layout(
      userCount: userCount, names: ("vlm", "text"), width: width, projectedWidth: projectedWidth,
      embeddingSize: embeddingSize, settings: settings
    ).list.specs
  }

  /// The numbers of the maps of queries and keys, which VIRAL's code has and never trains.
  public static func omittedCount(width: Int, settings: SettingValues<Settings>) -> Int {
    let blocks =
      switch settings.fusion {
      case .full: 5
      case .synergy, .visualOnly, .textOnly: 4
      case .concat: 0
      }
    return blocks * TransformerBlock.omittedCount(width: width)
  }
}

extension VIRAL.Fusion {
  /// What makes up an item, in the order of the columns.
  var sources: [VIRAL.Source] {
    switch self {
    case .full: [.text, .synergy, .vision]
    case .synergy: [.vision, .synergy, .text]
    case .concat: [.vision, .text]
    case .visualOnly: [.vision, .synergy]
    case .textOnly: [.text, .synergy]
    }
  }

  /// The terms that pull vectors together, in the order in which they are propagated.
  var agreements: [VIRAL.Agreement] {
    switch self {
    case .full: [.synergy, .redundancy]
    case .synergy: [.synergy]
    // The reference computes the synergy of a modality with itself and leaves its term out.
    case .concat, .visualOnly, .textOnly: []
    }
  }
}
