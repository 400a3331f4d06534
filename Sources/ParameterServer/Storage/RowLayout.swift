/// How a row lies in memory: its weights, then its optimizer states, so that an update touches
/// neighbouring cache lines only.
public struct RowLayout: Sendable, Equatable {
  /// Numbers in a row of weights.
  public let width: Int
  /// In the order in which they follow the weights.
  public let states: [RowState]
  /// Whether each row carries the number of its last update.
  public let tracksUpdates: Bool
  /// Numbers in a row with its states.
  package let stride: Int

  package init(width: Int, states: [RowState] = [], tracksUpdates: Bool = false) {
    self.width = width
    self.states = states
    self.tracksUpdates = tracksUpdates
    stride = states.reduce(width) { $0 + $1.width(besideRowOf: width) }
  }

  /// Where the weights (part 0) and the states (part 1, …) lie in a row.
  package var parts: [Range<Int>] {
    states.reduce(into: [0..<width]) { parts, state in
      let start = parts[parts.count - 1].upperBound
      parts.append(start..<start + state.width(besideRowOf: width))
    }
  }

  /// Bytes of a row with everything that belongs to it.
  var byteCount: Int {
    stride * MemoryLayout<Float>.stride + (tracksUpdates ? MemoryLayout<UInt32>.stride : 0)
  }
}

/// Numbers that an optimizer keeps beside the weights of a row.
public struct RowState: Sendable, Equatable, Codable {
  /// How many numbers there are.
  public enum Extent: String, Sendable, Codable {
    case onePerWeight = "weight"
    case onePerRow = "row"
  }

  /// What checkpoints call it; the field's name where there is one.
  public let name: String
  /// How many numbers a row has of it.
  public let extent: Extent

  package init(_ name: String, _ extent: Extent = .onePerWeight) {
    self.name = name
    self.extent = extent
  }

  package func width(besideRowOf width: Int) -> Int {
    switch extent {
    case .onePerWeight: width
    case .onePerRow: 1
    }
  }

  enum CodingKeys: String, CodingKey {
    case name
    case extent = "one_per"
  }
}
