import Foundation

/// The caches of a processor's core, which a probe empties where a message would pass from one
/// process to another: both ends are in one process here, on one core.
final class ProcessorCaches {
  /// Beyond what a core has of the caches of its processor, which it shares with others.
  private static let byteCount = 32 << 20

  private let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
  private var value: Int32 = 0

  deinit { memory.deallocate() }

  /// Fills the caches with other bytes.
  func evict() {
    value &+= 1
    memset(memory, value, Self.byteCount)
  }
}
