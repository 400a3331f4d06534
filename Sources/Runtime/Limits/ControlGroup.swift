import Files
import Foundation

/// What the control groups of this process allow it: a container's limits. Version 1 and 2.
///
/// The kernel tells through files. Those that are missing, as outside a container, mean no limit.
package struct ControlGroup: Sendable {
  /// Of this process.
  package static let own = ControlGroup(
    root: "/sys/fs/cgroup",
    membership: text(of: "/proc/self/cgroup") ?? "",
    systemCounters: "/proc/vmstat")

  /// Folders whose limits hold for the process: its own group's first, then those around it.
  private let memoryFolders: [String]
  private let processFolders: [String]
  private let systemCounters: String

  /// - Parameters:
  ///   - root: where the groups are mounted.
  ///   - membership: the text of `/proc/self/cgroup`.
  ///   - systemCounters: the file that counts for the whole machine.
  package init(root: String, membership: String, systemCounters: String) {
    memoryFolders = Self.folders("memory", root, membership)
    processFolders = Self.folders("pids", root, membership)
    self.systemCounters = systemCounters
  }

  /// Lines are `4:memory:/path` (version 1) or `0::/path` (version 2).
  private static func folders(
    _ controller: String, _ root: String, _ membership: String
  ) -> [String] {
    let groups = membership.split(separator: "\n").compactMap { line -> (String, String)? in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      if parts[1].split(separator: ",").contains(Substring(controller)) {
        return ("\(root)/\(controller)", String(parts[2]))
      }
      return parts[1].isEmpty ? (root, String(parts[2])) : nil
    }
    // A controller is in one of the two versions.
    guard let (top, path) = groups.first(where: { $0.0 != root }) ?? groups.first else { return [] }
    var names = path.split(separator: "/").map(String.init)
    // In a container the path may be that of the machine outside, where nothing is mounted here.
    guard !names.contains("..") else { return [top] }
    var folders: [String] = []
    while !names.isEmpty {
      folders.append(([top] + names).joined(separator: "/"))
      names.removeLast()
    }
    return folders + [top]
  }

  /// Bytes that the group may still take, with what the kernel would give back for it; nil: no
  /// limit is known.
  package var freeMemory: UInt64? {
    memoryFolders.compactMap { folder -> UInt64? in
      guard let limit = Self.number("\(folder)/memory.max", "\(folder)/memory.limit_in_bytes"),
        // What version 1 says where there is none.
        limit < 1 << 60
      else { return nil }
      let used =
        Self.number("\(folder)/memory.current", "\(folder)/memory.usage_in_bytes") ?? 0
      let counters = Self.counters("\(folder)/memory.stat")
      let cached =
        (counters["total_inactive_file"] ?? counters["inactive_file"] ?? 0)
        + (counters["total_active_file"] ?? counters["active_file"] ?? 0)
        + (counters["slab_reclaimable"] ?? 0)
      let taken = used - min(used, cached)
      return limit - min(limit, taken)
    }.min()
  }

  /// How many more processes and threads the group may have; nil: no limit is known.
  package var freeProcesses: UInt64? {
    processFolders.compactMap { folder -> UInt64? in
      guard let limit = Self.number("\(folder)/pids.max") else { return nil }
      return limit - min(limit, Self.number("\(folder)/pids.current") ?? 0)
    }.min()
  }

  /// How often the kernel has killed a process for lack of memory: of this group, or where it does
  /// not tell that, of the machine. It only grows.
  package var memoryKillCount: UInt64 {
    if let folder = memoryFolders.first {
      for file in ["memory.events", "memory.oom_control"] {
        if let count = Self.counters("\(folder)/\(file)")["oom_kill"] { return count }
      }
    }
    return Self.counters(systemCounters)["oom_kill"] ?? 0
  }

  private static func text(of path: String) -> String? {
    (try? PlainFile.contents(of: path, atMost: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func number(_ paths: String...) -> UInt64? {
    paths.lazy.compactMap { path in
      text(of: path)
        .flatMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }.first
  }

  /// Lines are `name value`.
  private static func counters(_ path: String) -> [String: UInt64] {
    guard let text = text(of: path) else { return [:] }
    return Dictionary(
      text.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: " ")
        guard parts.count == 2, let value = UInt64(parts[1]) else { return nil }
        return (String(parts[0]), value)
      }, uniquingKeysWith: { first, _ in first })
  }
}
