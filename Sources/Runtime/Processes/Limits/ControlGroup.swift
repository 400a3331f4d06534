import Files
import Foundation

/// The limits of this process's control groups, that is, of its container. Versions 1 and 2.
///
/// The kernel shows them in files. A missing file, as outside a container, means no limit.
package struct ControlGroup: Sendable {
  /// The groups of this process.
  package static let own = ControlGroup(
    root: "/sys/fs/cgroup",
    membership: text(of: "/proc/self/cgroup") ?? "",
    systemCounters: "/proc/vmstat")

  /// Folders whose limits apply to the process: its own group's first, then those of its parents.
  private let memoryFolders: [String]
  private let processFolders: [String]
  private let processorFolders: [String]
  private let systemCounters: String

  /// - Parameters:
  ///   - root: where the groups are mounted.
  ///   - membership: the text of `/proc/self/cgroup`.
  ///   - systemCounters: the file with the counters of the whole machine.
  package init(root: String, membership: String, systemCounters: String) {
    memoryFolders = Self.folders("memory", root, membership)
    processFolders = Self.folders("pids", root, membership)
    processorFolders = Self.folders("cpu", root, membership)
    self.systemCounters = systemCounters
  }

  /// Lines are `4:memory:/path` (version 1) or `0::/path` (version 2). A controller belongs to one
  /// of the two; version 1 is listed by name.
  private static func folders(
    _ controller: String, _ root: String, _ membership: String
  ) -> [String] {
    let groups = membership.split(separator: "\n").compactMap {
      line -> (top: String, path: String)? in
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      if parts[1].isEmpty { return (unified(root), String(parts[2])) }
      guard parts[1].split(separator: ",").contains(Substring(controller)) else { return nil }
      // Controllers that share a hierarchy share its folder, with or without a link for each.
      let shared = "\(root)/\(parts[1])"
      return (isFolder(shared) ? shared : "\(root)/\(controller)", String(parts[2]))
    }
    let named = groups.first { $0.top != unified(root) }
    guard let (top, path) = named ?? groups.first else { return [] }
    var names = path.split(separator: "/").map(String.init)
    // In a container the path may be one of the host, which is not mounted here.
    guard !names.contains("..") else { return [top] }
    var folders: [String] = []
    while !names.isEmpty {
      folders.append(([top] + names).joined(separator: "/"))
      names.removeLast()
    }
    return folders + [top]
  }

  /// Where version 2 is mounted: in a folder of its own on machines that have both versions.
  private static func unified(_ root: String) -> String {
    isFolder("\(root)/unified") ? "\(root)/unified" : root
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Bytes that the group may still allocate, including caches that the kernel would free for it;
  /// nil if no limit is known.
  package var freeMemory: UInt64? {
    memoryFolders.compactMap { folder -> UInt64? in
      guard let limit = Self.number("\(folder)/memory.max", "\(folder)/memory.limit_in_bytes"),
        // Version 1 shows a larger number if there is no limit.
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

  /// How many more processes and threads the group may have; nil if no limit is known.
  package var freeProcesses: UInt64? {
    processFolders.compactMap { folder -> UInt64? in
      guard let limit = Self.number("\(folder)/pids.max") else { return nil }
      return limit - min(limit, Self.number("\(folder)/pids.current") ?? 0)
    }.min()
  }

  /// How many processors' time the group may use; nil if no limit is known.
  package var processorQuota: Double? {
    processorFolders.compactMap { folder -> Double? in
      // Version 2 has `quota period` in one file, with the quota `max` if there is none.
      if let text = Self.text(of: "\(folder)/cpu.max") {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]),
          quota > 0, period > 0
        else { return nil }
        return quota / period
      }
      guard let quota = Self.number("\(folder)/cpu.cfs_quota_us"), quota > 0,
        let period = Self.number("\(folder)/cpu.cfs_period_us"), period > 0
      else { return nil }
      return Double(quota) / Double(period)
    }.min()
  }

  /// How often the kernel has killed a process for lack of memory: in this group, or on the machine
  /// if there is no count per group. It never decreases.
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

/// Detects that the kernel kills processes for lack of memory. The kernel does not name them: a
/// process counts as one if it was killed, not by the launcher, shortly after the count grew.
struct MemoryKills {
  /// The longest time between a growth of the count and the end of the process, seconds.
  private static let recent = 5.0

  private let group: ControlGroup
  private var count: UInt64
  private var grownAt = -Double.infinity

  init(group: ControlGroup = .own) {
    self.group = group
    count = group.memoryKillCount
  }

  /// Reads the count. Call it often, so that the time at which it grew is known.
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
