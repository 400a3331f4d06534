internal import CProcess
import Nodes

/// Controls what happens to memory that this process frees.
package enum ProcessMemory {
  /// Keeps freed memory for the next step instead of returning it to the system.
  ///
  /// A step of a model with large tables allocates and frees messages of 100 MiB and more. By
  /// default each of them is mapped, faulted in page by page and unmapped again: measured, half of
  /// the CPU time of a cluster that trains MGCN with 4,096 columns of features. The memory kept is
  /// bounded by what a step needs at once.
  ///
  /// Call it at the start of the program.
  package static func keepForReuse() { cprocess_keep_memory() }

  /// Bytes of this process that are in memory now; 0 if unknown.
  package static var residentBytes: Int { Int(clamping: ProcessUsage.current().residentBytes) }

  /// Bytes that are resident and not allocated; 0 if unknown.
  static var unusedBytes: Int { Int(clamping: cprocess_unused_memory()) }

  /// Returns freed memory to the system.
  package static func release() { cprocess_release_memory() }
}

/// Decides when a process that keeps freed memory returns it to the system: after a burst, such as
/// many unknown peers, or peers that were slow to read. A value.
///
/// Memory that training needs is used by network traffic in every step. So free memory much beyond
/// the recent traffic is left over from something else.
package struct UnusedMemory {
  /// Seconds between two checks.
  package static let interval = 10.0
  /// Bytes that are never returned: the program itself, and the variation of an idle process.
  package static let allowance = 96 << 20

  private var nextLook: Double?
  private var bytesBefore = 0

  package init() {}

  /// - Parameters:
  ///   - now: seconds.
  ///   - bytesMoved: sent and received since the start of the process.
  ///   - unusedBytes: resident bytes that are not allocated; not called every time.
  /// - Returns: whether to return memory now.
  package mutating func isExcessive(
    at now: Double, bytesMoved: Int, unusedBytes: () -> Int
  ) -> Bool {
    guard now >= nextLook ?? now else { return false }
    defer {
      nextLook = now + Self.interval
      bytesBefore = bytesMoved
    }
    guard nextLook != nil else { return false }
    return unusedBytes() > Self.allowance + 2 * (bytesMoved - bytesBefore)
  }

  /// Returns memory to the system when too much of it is free.
  mutating func tick(at now: Double, bytesMoved: Int) {
    if isExcessive(at: now, bytesMoved: bytesMoved, unusedBytes: { ProcessMemory.unusedBytes }) {
      ProcessMemory.release()
    }
  }
}
