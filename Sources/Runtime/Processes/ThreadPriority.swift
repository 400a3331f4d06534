internal import CProcess

/// Priorities for machines with more workers than processors.
///
/// If a server got only as much processor time as each of a hundred workers, it would reply so late
/// that the workers count it as lost. So the launcher starts workers with a higher nice value when
/// there are many, and in each worker the computing thread has a lower priority than the network
/// thread, which sends life signs. Results do not change.
enum ThreadPriority {
  /// The increment of the nice value of workers that share `processors`.
  static func nice(ofWorkers workers: Int, on processors: Int) -> Int32 {
    workers > 2 * processors ? 10 : 0
  }

  /// Lowers the priority of the calling, computing thread in a worker with a higher nice value.
  static func lowerForComputation() { cprocess_lower_thread_priority(5) }
}
