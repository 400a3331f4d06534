import Foundation

/// The caches of a core, which a probe empties where a message would pass from one process to
/// another: both ends are in one process here, on one core. What a processor's cores share is
/// mostly kept where it is larger, as it is in a cluster: small tables stay there.
final class ProcessorCaches {
  /// Many times the largest second-level caches. Chosen by measurements (docs/CostModel.md): with
  /// 8 MiB predictions were a tenth to a quarter too low, with 32 MiB up to a half too high.
  private static let byteCount = 16 << 20

  private let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
  private var value: Int32 = 0

  deinit { memory.deallocate() }

  /// Fills the caches with other bytes.
  func evict() {
    value &+= 1
    memset(memory, value, Self.byteCount)
  }
}
