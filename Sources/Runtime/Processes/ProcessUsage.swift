import Files
import Foundation
import Nodes

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension ProcessUsage {
  /// A heartbeat with the current resource usage of this process.
  static func current() -> ProcessUsage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double {
      Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }
    let statistics = (try? PlainFile.contents(of: "/proc/self/statm", atMost: 4096)) ?? []
    let pages = String(decoding: statistics, as: UTF8.self)
      .split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    return ProcessUsage(
      residentBytes: (pages ?? 0) * UInt64(getpagesize()),
      peakResidentBytes: UInt64(max(0, usage.ru_maxrss)) * 1024,
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime))
  }
}
