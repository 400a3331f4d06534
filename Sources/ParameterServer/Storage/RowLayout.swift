import CKernels
import Settings

/// The memory layout of a row: weights, then optimizer states, so that an update touches only
/// neighbouring cache lines.
package struct RowLayout: Sendable, Equatable {
  /// Number of weights.
  package let width: Int
  /// The states in their order in memory.
  package let states: [RowState]
  /// Whether each row carries the number of its last update.
  package let tracksUpdates: Bool
  /// The weights (part 0) and the states (part 1, …) in a row.
  package let parts: [RowPart]
  /// Floats that a row takes in memory: weights and states, of which two in bfloat16 take one.
  package let stride: Int

  package init(width: Int, states: [RowState] = [], tracksUpdates: Bool = false) {
    self.width = width
    self.states = states
    self.tracksUpdates = tracksUpdates
    var parts = [RowPart(offset: 0, columns: width, precision: .float32)]
    for state in states {
      let size = state.precision.byteCount
      let offset = (parts[parts.count - 1].end + size - 1) / size * size
      parts.append(
        RowPart(
          offset: offset, columns: state.stateWidth(ofRow: width), precision: state.precision))
    }
    self.parts = parts
    let size = MemoryLayout<Float>.stride
    stride = (parts[parts.count - 1].end + size - 1) / size
  }

  /// Bytes of a row with its states and update number.
  package var byteCount: Int {
    stride * MemoryLayout<Float>.stride + (tracksUpdates ? MemoryLayout<UInt32>.stride : 0)
  }

  /// Whether states are stored in bfloat16, so that a row is updated as a wide row.
  package var isRounded: Bool { states.contains { $0.precision == .bfloat16 } }

  /// Floats of a wide row: weights and states one after the other, all in float32.
  package var wideStride: Int { parts.reduce(0) { $0 + $1.columns } }
}

/// Where weights or a state lie in a row.
package struct RowPart: Sendable, Equatable {
  /// Bytes from the start of the row.
  package let offset: Int
  /// How many numbers there are.
  package let columns: Int
  package let precision: MomentPrecision

  package var byteCount: Int { columns * precision.byteCount }
  fileprivate var end: Int { offset + byteCount }

  /// Converts numbers of this part, `[columns]`, to float32; exact.
  package func widen(_ values: UnsafeRawPointer, to wide: UnsafeMutablePointer<Float>) {
    switch precision {
    case .float32:
      UnsafeMutableRawPointer(wide).copyMemory(from: values, byteCount: byteCount)
    case .bfloat16: mrdib_widen(wide, values, columns)
    }
  }
}

/// The format in which servers store a number of an optimizer's state.
package enum MomentPrecision: String, SettingChoice, Codable {
  case float32
  /// The upper half of a float32: 8 bits of exponent, 7 of mantissa.
  case bfloat16

  package var byteCount: Int {
    switch self {
    case .float32: MemoryLayout<Float>.stride
    case .bfloat16: MemoryLayout<UInt16>.stride
    }
  }
}

/// A state that an optimizer keeps for every row, such as a moment.
package struct RowState: Sendable, Equatable {
  /// The size of the state.
  package enum Extent: String, Sendable, Codable {
    case onePerWeight = "weight"
    case onePerRow = "row"
  }

  /// The name in checkpoints; the usual one where there is one.
  package let name: String
  /// The size of the state.
  package let extent: Extent
  /// How its numbers are stored.
  package let precision: MomentPrecision

  package init(
    _ name: String, _ extent: Extent = .onePerWeight, precision: MomentPrecision = .float32
  ) {
    self.name = name
    self.extent = extent
    self.precision = precision
  }

  package func stateWidth(ofRow width: Int) -> Int {
    switch extent {
    case .onePerWeight: width
    case .onePerRow: 1
    }
  }

  /// The same state, stored in another format.
  func stored(in precision: MomentPrecision) -> RowState {
    RowState(name, extent, precision: precision)
  }
}

/// In manifests `precision` is left out for float32, so that those of earlier releases keep their
/// meaning and their digest.
extension RowState: Codable {
  enum CodingKeys: String, CodingKey {
    case name
    case extent = "one_per"
    case precision
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      try values.decode(String.self, forKey: .name),
      try values.decode(Extent.self, forKey: .extent),
      precision: try values.decodeIfPresent(MomentPrecision.self, forKey: .precision) ?? .float32)
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(name, forKey: .name)
    try values.encode(extent, forKey: .extent)
    if precision != .float32 { try values.encode(precision, forKey: .precision) }
  }
}
