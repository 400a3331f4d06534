import CostModel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension ProcessorTime {
  /// Seconds that another process of this user has used, with all its threads.
  ///
  /// - Throws: ``MeasurementError`` if there is no such process.
  static func seconds(ofProcess process: Int32) throws -> Double {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw MeasurementError("There is no process \(process) whose processor time can be read.")
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
