/// How a row lies in memory: its weights, then its optimizer state, so that an update touches
/// neighbouring cache lines only.
struct RowLayout: Sendable, Equatable {
  /// Numbers in a row of weights.
  let width: Int
  /// Numbers of state per weight: 0 (SGD), 1 (Adagrad), 2 (Adam).
  let stateCount: Int
  /// Whether each row carries the number of its last update.
  let tracksUpdates: Bool

  /// Numbers in a row with its state.
  var stride: Int { width * (1 + stateCount) }

  /// Bytes of a row with everything that belongs to it.
  var byteCount: Int {
    stride * MemoryLayout<Float>.stride + (tracksUpdates ? MemoryLayout<UInt32>.stride : 0)
  }
}
