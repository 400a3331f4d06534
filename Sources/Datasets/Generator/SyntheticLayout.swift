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
