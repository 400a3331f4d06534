import Foundation
import Runtime
import TestSupport
import Testing

/// Groups as files in a folder, as the kernel shows them.
@Suite struct ControlGroupTests {
  private func group(_ membership: String, _ files: [String: String]) throws -> ControlGroup {
    let folder = try TemporaryFolder()
    for (name, text) in files {
      let parent = URL(fileURLWithPath: folder.path(name)).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
      try folder.write(text, to: name)
    }
    let group = ControlGroup(
      root: folder.path, membership: membership, systemCounters: folder.path("vmstat"))
    _ = Unmanaged.passRetained(folder)
    return group
  }

  @Test("version 2: the lowest limit of the process's groups applies, without its file cache")
  func unified() throws {
    let group = try group(
      "0::/a/b\n",
      [
        "a/b/memory.max": "max\n", "a/b/memory.current": "500\n",
        "a/memory.max": "1000\n", "a/memory.current": "700\n",
        "a/memory.stat": "anon 300\ninactive_file 150\nactive_file 50\n",
        "a/b/pids.max": "20\n", "a/b/pids.current": "15\n", "a/pids.max": "max\n",
        "a/b/memory.events": "low 0\noom 3\noom_kill 2\n",
      ])
    #expect(group.freeMemory == 500)
    #expect(group.freeProcesses == 5)
    #expect(group.memoryKillCount == 2)
  }

  @Test("version 1: every controller has groups of its own")
  func separate() throws {
    let group = try group(
      "8:pids:/p\n4:memory:/m\n1:cpu:/\n0::/\n",
      [
        "memory/m/memory.limit_in_bytes": "4000\n", "memory/m/memory.usage_in_bytes": "4100\n",
        "memory/m/memory.stat": "total_inactive_file 600\ntotal_active_file 0\n",
        "memory/memory.limit_in_bytes": "9223372036854771712\n",
        "memory/m/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n",
        "pids/p/pids.max": "3\n", "pids/p/pids.current": "9\n",
      ])
    #expect(group.freeMemory == 500)
    #expect(group.freeProcesses == 0)
    #expect(group.memoryKillCount == 7)
  }

  @Test("in a container the path of the process may be one of the host")
  func container() throws {
    let group = try group("0::/outside/x\n", ["memory.max": "100\n", "memory.current": "40\n"])
    #expect(group.freeMemory == 60)
  }

  @Test("controllers that share a hierarchy are found in its folder without a link for each")
  func sharedHierarchy() throws {
    let group = try group(
      "3:cpu,cpuacct:/c\n0::/\n",
      [
        "cpu,cpuacct/c/cpu.cfs_quota_us": "150000\n",
        "cpu,cpuacct/c/cpu.cfs_period_us": "100000\n", "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
      ])
    #expect(group.processorQuota == 1.5)
  }

  @Test("both versions: what version 1 does not list is in the folder of version 2")
  func hybrid() throws {
    let group = try group(
      "4:memory:/m\n1:cpu:/\n0::/a\n",
      [
        "memory/m/memory.limit_in_bytes": "4000\n", "memory/m/memory.usage_in_bytes": "1000\n",
        "cpu/cpu.cfs_quota_us": "-1\n", "unified/a/pids.max": "30\n",
        "unified/a/pids.current": "10\n", "unified/a/memory.max": "1\n",
      ])
    #expect(group.freeMemory == 3000)
    #expect(group.freeProcesses == 20)
    #expect(group.processorQuota == nil)
  }

  @Test("missing or malformed files mean no limit")
  func none() throws {
    for membership in ["", "rubbish\n", "0::/../..\n", "::\n:::::\n", "4:memory\n"] {
      let group = try group(membership, ["memory.max": "many\n", "vmstat": "oom_kill 4\n"])
      #expect(group.freeMemory == nil)
      #expect(group.freeProcesses == nil)
      // Then only the machine's count is available.
      #expect(group.memoryKillCount == 4)
    }
  }

  @Test("processors: the lowest quota of the groups, in whole processors, at least one")
  func processors() throws {
    let unified = try group(
      "0::/a/b\n", ["a/b/cpu.max": "max 100000\n", "a/cpu.max": "250000 100000\n"])
    #expect(unified.processorQuota == 2.5)
    #expect(Processors.available(of: 8, group: unified) == 3)
    #expect(Processors.available(of: 2, group: unified) == 2)
    let separate = try group(
      "3:cpu,cpuacct:/c\n",
      ["cpu/c/cpu.cfs_quota_us": "20000\n", "cpu/c/cpu.cfs_period_us": "100000\n"])
    #expect(separate.processorQuota == 0.2)
    #expect(Processors.available(of: 8, group: separate) == 1)
    for text in ["max 100000\n", "", "x y\n", "0 0\n", "-1 100000\n", "1e400 1e-400\n"] {
      let group = try group("0::/\n", ["cpu.max": text])
      #expect(Processors.available(of: 8, group: group) == 8, "\(text)")
    }
  }

  @Test("processors are divided among processes, and an explicit number is taken as it is")
  func threads() {
    #expect(Processors.threads(wanted: 7, processes: 3) == 7)
    #expect(Processors.threads(wanted: 0, processes: 1) == min(64, Processors.available))
    #expect(Processors.threads(wanted: 0, processes: 10_000) == 1)
  }
}
