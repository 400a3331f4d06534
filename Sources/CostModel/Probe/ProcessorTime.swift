import Foundation
import Runtime

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Processor time of this process, of all its threads.
package struct ProcessorTime {
  private let start = seconds

  package init() {}

  /// Since this value was made.
  package var elapsed: Double { Self.seconds - start }

  static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
