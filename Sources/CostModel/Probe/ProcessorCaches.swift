import Foundation

/// The caches of a processor's core, which a probe empties where a message would pass from one
/// process to another: both ends are in one process here, on one core.
final class ProcessorCaches {
  /// Beyond the second-level cache of a core.
  private static let byteCount = 8 << 20

  private let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
  private var value: Int32 = 0

  deinit { memory.deallocate() }

  /// Fills the caches with other bytes.
  func evict() {
    value &+= 1
    memset(memory, value, Self.byteCount)
  }
}
