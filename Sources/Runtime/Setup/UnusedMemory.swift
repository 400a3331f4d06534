/// When a process that keeps freed memory gives it back, as a value: after a burst, such as many
/// strangers or peers that were slow to read.
///
/// What training needs passes through the network again and again. So memory that is free, and much
/// more than what passed lately, is left over from something else.
package struct UnusedMemory {
  /// Seconds between two looks.
  package static let interval = 10.0
  /// What is never given back: the program itself, and the ups and downs of a quiet process.
  package static let allowance = 96 << 20

  private var nextLook: Double?
  private var bytesBefore = 0

  package init() {}

  /// - Parameters:
  ///   - now: seconds.
  ///   - bytesMoved: sent and received since the start of the process.
  ///   - unusedBytes: what is resident and not allocated; not asked at every call.
  /// - Returns: whether to give memory back now.
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

  /// Gives memory back when there is too much of it.
  mutating func tick(at now: Double, bytesMoved: Int) {
    if isExcessive(at: now, bytesMoved: bytesMoved, unusedBytes: { ProcessMemory.unusedBytes }) {
      ProcessMemory.release()
    }
  }
}
