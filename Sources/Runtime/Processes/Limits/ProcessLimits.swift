import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The limits of a process: `ulimit` and its container's. nil stands for no limit.
package struct ProcessLimits: Sendable, Equatable {
  /// How many files a process may have open.
  package var descriptors: UInt64?
  /// How many more processes and threads this user, or the container, may have.
  package var processes: UInt64?
  /// Bytes of a process's address space.
  package var addressSpace: UInt64?
  /// Bytes that all processes of the container together may still allocate.
  package var memory: UInt64?

  package init(
    descriptors: UInt64? = nil, processes: UInt64? = nil, addressSpace: UInt64? = nil,
    memory: UInt64? = nil
  ) {
    self.descriptors = descriptors
    self.processes = processes
    self.addressSpace = addressSpace
    self.memory = memory
  }

  /// The limits of this process, which its child processes inherit.
  package static func current() -> ProcessLimits {
    ProcessLimits(
      descriptors: limit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue)).map { UInt64($0.rlim_max) },
      processes: [freeProcessesOfUser, ControlGroup.own.freeProcesses].compactMap { $0 }.min(),
      addressSpace: limit(__rlimit_resource_t(RLIMIT_AS.rawValue)).map { UInt64($0.rlim_cur) },
      memory: ControlGroup.own.freeMemory)
  }

  /// nil if there is no limit.
  private static func limit(_ resource: __rlimit_resource_t) -> rlimit? {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur != .max else { return nil }
    return limit
  }

  /// nil if the limit does not apply, as for root and users with its capabilities.
  private static var freeProcessesOfUser: UInt64? {
    guard let limit = limit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue)), getuid() != 0 else {
      return nil
    }
    let user = "\(getuid())"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    // The system also counts processes that are not visible here, so fewer may be left.
    let used = names.filter { Int32($0) != nil }.reduce(UInt64(0)) { count, name in
      guard let bytes = try? PlainFile.contents(of: "/proc/\(name)/status", atMost: 64 << 10) else {
        return count
      }
      let fields = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        .map { $0.split(whereSeparator: \.isWhitespace) }
      guard fields.contains(where: { $0.first == "Uid:" && $0.dropFirst().first == user[...] })
      else { return count }
      let threads = fields.first { $0.first == "Threads:" }?.last
      return count + (threads.flatMap { UInt64($0) } ?? 1)
    }
    let allowed = UInt64(limit.rlim_cur)
    return allowed - min(allowed, used)
  }
}
