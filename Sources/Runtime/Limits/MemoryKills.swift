/// Whether the kernel kills processes for lack of memory. It does not say which: one that was
/// killed by nobody we know, shortly after the count grew, was one of them.
struct MemoryKills {
  /// Between the kernel's count and the end of the process, or another one, seconds.
  private static let recent = 5.0

  private let group: ControlGroup
  private var count: UInt64
  private var grownAt = -Double.infinity

  init(group: ControlGroup = .own) {
    self.group = group
    count = group.memoryKillCount
  }

  /// Looks at the count. To be called often, so that it is known when it grew.
  ///
  /// - Parameter now: seconds on a monotonic clock.
  /// - Returns: whether it has grown in the last few seconds.
  mutating func areRecent(at now: Double) -> Bool {
    let newCount = group.memoryKillCount
    if newCount > count { grownAt = now }
    count = newCount
    return now - grownAt < Self.recent
  }
}
