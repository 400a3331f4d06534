/// The memory layout of a row: weights, then optimizer states, so that an update touches only
/// neighbouring cache lines.
package struct RowLayout: Sendable, Equatable {
  /// Number of weights.
  package let width: Int
  /// The states in their order in memory.
  package let states: [RowState]
  /// Whether each row carries the number of its last update.
  package let tracksUpdates: Bool
  /// Floats per row: weights and states.
  package let stride: Int

  package init(width: Int, states: [RowState] = [], tracksUpdates: Bool = false) {
    self.width = width
    self.states = states
    self.tracksUpdates = tracksUpdates
    stride = states.reduce(width) { $0 + $1.stateWidth(ofRow: width) }
  }

  /// The columns of the weights (part 0) and of the states (part 1, …) in a row.
  package var parts: [Range<Int>] {
    states.reduce(into: [0..<width]) { parts, state in
      let start = parts[parts.count - 1].upperBound
      parts.append(start..<start + state.stateWidth(ofRow: width))
    }
  }

  /// Bytes of a row with its states and update number.
  var byteCount: Int {
    stride * MemoryLayout<Float>.stride + (tracksUpdates ? MemoryLayout<UInt32>.stride : 0)
  }
}

/// A state that an optimizer keeps for every row, such as a moment.
package struct RowState: Sendable, Equatable, Codable {
  /// The size of the state.
  package enum Extent: String, Sendable, Codable {
    case onePerWeight = "weight"
    case onePerRow = "row"
  }

  /// The name in checkpoints; the usual one where there is one.
  package let name: String
  /// The size of the state.
  package let extent: Extent

  package init(_ name: String, _ extent: Extent = .onePerWeight) {
    self.name = name
    self.extent = extent
  }

  package func stateWidth(ofRow width: Int) -> Int {
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
