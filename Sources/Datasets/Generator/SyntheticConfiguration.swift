/// How large a generated data set is, and how much of which kind of information it holds.
public struct SyntheticConfiguration: Sendable, Equatable, Codable {
  /// One kind of information: its latent dimensions and their weight in users' preferences.
  public struct Component: Sendable, Equatable, Codable {
    public var dimensions: Int
    /// Scale of these dimensions in the items' preference vectors; a component's share of the
    /// variance of preferences is dimensions · weight² over the sum of that over all components.
    public var weight: Float

    public init(dimensions: Int, weight: Float = 1) {
      self.dimensions = dimensions
      self.weight = weight
    }
  }

  public var name = "synthetic"
  public var seed: UInt64 = 1
  public var users = 1500
  public var items = 800
  /// Mean number of interactions per user; each user's own is uniform in half to one and a half
  /// times that.
  public var interactionsPerUser = 20
  /// How many items a user chooses among. In a larger catalogue every user is offered so many of
  /// its items, evenly spread and drawn for the user; a smaller one whole.
  public var candidates = 4096
  /// In both modalities: redundant.
  public var shared = Component(dimensions: 8)
  /// In the visual features only.
  public var uniqueVisual = Component(dimensions: 8)
  /// In the text features only.
  public var uniqueText = Component(dimensions: 8)
  /// One sign in each modality. Only their product matters, and neither sign alone carries
  /// information about it.
  public var synergy = Component(dimensions: 8)
  /// Columns of pure noise.
  public var visualNoiseDimensions = 40
  public var textNoiseDimensions = 24
  /// Standard deviation of those columns.
  public var noiseScale: Float = 1
  /// Standard deviation of the Gaussian noise on every informative column, drawn separately for
  /// each modality; it keeps the information between the modalities finite.
  public var observationNoise: Float = 0.3
  /// Standard deviation of a user's scores before the softmax: with 0 all choices are random.
  public var sharpness: Float = 3
  /// Whether features are written in half precision; nil: no.
  public var halfFeatures: Bool?
  /// The information that was asked for with ``plant(_:)``; nil if weights were chosen directly.
  public private(set) var planted: PlantedInformation?

  public init() {}

  /// Chooses weights and sharpness so that each kind of information is worth a number of nats per
  /// choice, whatever the others are.
  ///
  /// The score of an item is then a sum of one term per kind, and a term with variance v is worth
  /// v/2 nats: I = E[x e^x]/E[e^x] − ln E[e^x] for x ~ N(0, v), if the catalogue is large and the
  /// user's taste known. `truth.json` has what is true of the finite catalogue.
  ///
  /// - Throws: ``DatasetError`` of kind `configuration` for information without dimensions.
  public mutating func plant(_ information: PlantedInformation) throws(DatasetError) {
    func weight(_ name: String, _ nats: Float, _ dimensions: Int) throws(DatasetError) -> Float {
      guard nats >= 0, nats <= 10 else {
        throw problem("\(name) is \(nats) nats, but must be 0 to 10")
      }
      guard nats == 0 || dimensions > 0 else {
        throw problem("\(name) is \(nats) nats, but has no dimensions")
      }
      return nats == 0 ? 0 : (2 * nats / Float(dimensions)).squareRoot()
    }
    shared.weight = try weight("shared", information.shared, shared.dimensions)
    uniqueVisual.weight = try weight(
      "uniqueVisual", information.uniqueVisual, uniqueVisual.dimensions)
    uniqueText.weight = try weight("uniqueText", information.uniqueText, uniqueText.dimensions)
    synergy.weight = try weight("synergy", information.synergy, synergy.dimensions)
    sharpness = preferenceVariance.squareRoot()
    planted = information
  }

  var hasHalfFeatures: Bool { halfFeatures ?? false }

  /// Columns of the visual features.
  public var visualColumns: Int {
    shared.dimensions + uniqueVisual.dimensions + synergy.dimensions + visualNoiseDimensions
  }

  /// Columns of the text features.
  public var textColumns: Int {
    shared.dimensions + uniqueText.dimensions + synergy.dimensions + textNoiseDimensions
  }

  /// Checks that a data set can be made from these numbers.
  ///
  /// - Throws: ``DatasetError`` of kind `configuration` that names the first setting out of range.
  public func validate() throws(DatasetError) {
    let components = [
      ("shared", shared), ("uniqueVisual", uniqueVisual), ("uniqueText", uniqueText),
      ("synergy", synergy),
    ]
    let dimensions: [(String, Int, ClosedRange<Int>)] =
      [
        ("visualNoiseDimensions", visualNoiseDimensions, 0...65_536),
        ("textNoiseDimensions", textNoiseDimensions, 0...65_536),
      ] + components.map { ("\($0.0).dimensions", $0.1.dimensions, 0...65_536) }
    // Checked before they are added up, so that no sum overflows.
    try check(dimensions)
    try check(
      [
        ("users", users, 1...10_000_000),
        ("interactionsPerUser", interactionsPerUser, 2 * SplitRule.smallestCount...10_000),
        // Every user must have items left to draw negatives from.
        ("items", items, 3 * min(interactionsPerUser, 10_000)...10_000_000),
        ("candidates", candidates, 3 * min(interactionsPerUser, 10_000)...10_000_000),
        ("visualColumns", visualColumns, 1...1_000_000),
        ("textColumns", textColumns, 1...1_000_000),
      ])
    let scales: [(String, Float, Float)] =
      [
        ("noiseScale", noiseScale, 0), ("observationNoise", observationNoise, 0.001),
        ("sharpness", sharpness, 0),
      ] + components.map { ("\($0.0).weight", $0.1.weight, 0) }
    for (setting, value, smallest) in scales where !(value >= smallest && value <= 1000) {
      throw problem("\(setting) is \(value), but must be \(smallest) to 1000")
    }
    guard components.contains(where: { $0.1.dimensions > 0 && $0.1.weight > 0 }) else {
      throw problem("no component has both dimensions and weight, so users would prefer nothing")
    }
    guard ModalityDescription.isName(name) else {
      throw problem("name is '\(name.prefix(32))', but must be 1 to 32 letters, digits, '_' or '-'")
    }
  }

  private func check(_ counts: [(String, Int, ClosedRange<Int>)]) throws(DatasetError) {
    for (setting, value, range) in counts where !range.contains(value) {
      throw problem(
        "\(setting) is \(value), but must be \(range.lowerBound) to \(range.upperBound)")
    }
  }

  private func problem(_ message: String) -> DatasetError {
    DatasetError(
      .configuration, path: "generated data set",
      "cannot be generated with these settings: \(message)")
  }
}

/// How much of each kind of information a choice holds, in nats; see
/// ``SyntheticConfiguration/plant(_:)``.
public struct PlantedInformation: Sendable, Equatable, Codable {
  /// In both modalities.
  public var shared: Float
  /// In the visual features only.
  public var uniqueVisual: Float
  /// In the text features only.
  public var uniqueText: Float
  /// In the combination only.
  public var synergy: Float

  public init(
    shared: Float = 0, uniqueVisual: Float = 0, uniqueText: Float = 0, synergy: Float = 0
  ) {
    self.shared = shared
    self.uniqueVisual = uniqueVisual
    self.uniqueText = uniqueText
    self.synergy = synergy
  }
}

/// A run of neighbouring columns, `start ..< end`.
public struct ColumnRange: Sendable, Equatable, Codable {
  public let start: Int
  public let end: Int

  public var range: Range<Int> { start..<end }

  /// - Precondition: `0 <= start <= end`.
  init(start: Int, end: Int) {
    precondition(start >= 0 && start <= end, "columns \(start) ..< \(end)")
    self.start = start
    self.end = end
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let start = try container.decode(Int.self, forKey: .start)
    let end = try container.decode(Int.self, forKey: .end)
    guard start >= 0 && start <= end else {
      throw DecodingError.dataCorruptedError(
        forKey: .end, in: container, debugDescription: "columns \(start) ..< \(end)")
    }
    self.init(start: start, end: end)
  }
}

/// Which columns of a generated matrix hold what, block after block.
public struct SyntheticLayout: Sendable, Equatable, Codable {
  public let shared: ColumnRange
  public let unique: ColumnRange
  public let synergy: ColumnRange
  public let noise: ColumnRange

  public var columns: Int { noise.end }

  init(shared: Int, unique: Int, synergy: Int, noise: Int) {
    let ends = [shared, unique, synergy, noise].reduce(into: [0]) { ends, count in
      ends.append((ends.last ?? 0) + count)
    }
    self.shared = ColumnRange(start: ends[0], end: ends[1])
    self.unique = ColumnRange(start: ends[1], end: ends[2])
    self.synergy = ColumnRange(start: ends[2], end: ends[3])
    self.noise = ColumnRange(start: ends[3], end: ends[4])
  }
}

extension SyntheticConfiguration {
  /// Columns of the visual features.
  public var visualLayout: SyntheticLayout {
    SyntheticLayout(
      shared: shared.dimensions, unique: uniqueVisual.dimensions, synergy: synergy.dimensions,
      noise: visualNoiseDimensions)
  }

  /// Columns of the text features.
  public var textLayout: SyntheticLayout {
    SyntheticLayout(
      shared: shared.dimensions, unique: uniqueText.dimensions, synergy: synergy.dimensions,
      noise: textNoiseDimensions)
  }
}
