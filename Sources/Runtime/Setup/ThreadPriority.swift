import CProcess

/// Who goes first when there is more work than processors.
///
/// Where many workers share a machine, they all wait for the same servers, and a server that gets
/// its turn as seldom as each of a hundred workers answers so late that they take it for lost. So
/// workers give way: the launcher starts them with a higher nice value when there are too many, and
/// in each of them the computation gives way to the thread that shows signs of life. What is
/// computed stays the same.
enum ThreadPriority {
  /// By how much a worker's nice value is higher that shares `processors` with the others.
  static func nice(ofWorkers workers: Int, on processors: Int) -> Int32 {
    workers > 2 * processors ? 10 : 0
  }

  /// Has the calling thread, which computes, give way to the others of a worker that gives way.
  static func giveWayToNetwork() { cprocess_lower_thread_priority(5) }
}
