internal import Synchronization

/// The threads that a process computes on: the caller and a fixed number of kept threads, "lanes".
///
/// Work is cut into blocks whose size depends on the work alone, never on the number of lanes. A
/// block writes its own outputs, and sums over blocks are added in block order by the caller. Which
/// lane computes a block then changes no bit, so that results are the same for any number of lanes.
///
/// Lanes do one job at a time. A call while they have one, from inside a block or from another
/// thread, computes its blocks on the calling thread alone: nothing waits for a busy lane, and
/// nested calls need no care.
public final class Lanes: Sendable {
  /// Replaces the lanes of the process on the calling thread, in a scope: for runs side by side in
  /// one process.
  @TaskLocal package static var ofScope: Lanes?

  private static let ofProcess = Mutex(Lanes(count: 1))

  /// The lanes that operations use.
  public static var current: Lanes { ofScope ?? ofProcess.withLock { $0 } }

  /// Sets how many threads the operations of this process compute on, the caller included. Call it
  /// before anything is computed.
  ///
  /// - Precondition: `1 <= count <= Lanes.mostCount`.
  public static func setCount(_ count: Int) {
    let lanes = Lanes(count: count)
    ofProcess.withLock { $0 = lanes }
  }

  /// The most lanes of a process: OpenBLAS has buffers for so many threads at once.
  public static let mostCount = 64

  /// Threads that compute, the caller included.
  public let count: Int
  private let team: LaneTeam?

  /// How many jobs the threads have had; 0 means that everything was computed on the caller.
  package var jobCount: Int { team?.jobCount ?? 0 }

  /// Lanes of their own. Their threads start with the first job that needs them, inherit the
  /// priority of the thread that gave it, and end with this object.
  ///
  /// - Precondition: `1 <= count <= Lanes.mostCount`.
  public init(count: Int) {
    precondition(count >= 1 && count <= Self.mostCount, "\(count) lanes")
    self.count = count
    team = count > 1 ? LaneTeam(threadCount: count - 1) : nil
  }

  deinit { team?.stop() }

  /// Computes blocks 0 ..< `blockCount`, on all lanes unless there is one block only.
  ///
  /// - Parameter body: called once per block, in any order and on several threads at once. `lane`
  ///   is below ``count``, and differs between blocks of this job that are computed at the same
  ///   time: it may name scratch memory, but must not affect results.
  public func forEach(_ blockCount: Int, _ body: (_ block: Int, _ lane: Int) -> Void) {
    if blockCount > 1, let team, team.run(blockCount, body) { return }
    for block in 0..<blockCount { body(block, 0) }
  }
}

/// The usual ways to cut work.
extension Lanes {
  /// Numbers that a block of a simple pass over memory has: 64 KiB, some microseconds.
  static let blockElements = 1 << 14

  /// With fewer blocks, waking other threads would take longer than the work.
  static let smallestBlockCount = 4

  /// Calls `body` with consecutive ranges that cover `0 ..< count`, on all lanes if the work is
  /// worth it.
  ///
  /// - Parameter elements: how many numbers of a simple pass over memory one index stands for, such
  ///   as the width of a row; more for expensive functions.
  public func forEachRange(
    of count: Int, elements: Int = 1, _ body: (_ range: Range<Int>) -> Void
  ) {
    let size = max(1, Self.blockElements / max(1, elements))
    let blockCount = (count + size - 1) / size
    guard blockCount >= Self.smallestBlockCount, self.count > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    forEach(blockCount) { block, _ in
      body(block * size..<min(count, (block + 1) * size))
    }
  }

  /// Σ over consecutive ranges that cover `0 ..< count`. Ranges have a fixed length, and are added
  /// in their order, so the sum is the same for any number of lanes.
  ///
  /// - Parameters:
  ///   - elements: see ``forEachRange(of:elements:_:)``.
  ///   - part: the sum over one range.
  public func sum(
    of count: Int, elements: Int = 1, _ part: (_ range: Range<Int>) -> Double
  ) -> Double {
    let size = max(1, Self.blockElements / max(1, elements))
    let blockCount = (count + size - 1) / size
    guard blockCount > 1 else { return count > 0 ? part(0..<count) : 0 }
    let parts = [Double](unsafeUninitializedCapacity: blockCount) { buffer, initialized in
      let parts = buffer
      func fill(_ block: Int, _ lane: Int) {
        parts[block] = part(block * size..<min(count, (block + 1) * size))
      }
      if blockCount >= Self.smallestBlockCount {
        forEach(blockCount, fill)
      } else {
        for block in 0..<blockCount { fill(block, 0) }
      }
      initialized = blockCount
    }
    return parts.reduce(0, +)
  }
}
