import Runtime
import Testing

@Suite struct ClusterNeedsTests {
  private let small = ClusterNeeds(servers: 2, workers: 2, tableBytes: 1 << 20)
  private let large = ClusterNeeds(servers: 16, workers: 100, tableBytes: 1 << 30)

  /// The message of the refusal; nil if there is none.
  private func refusal(_ needs: ClusterNeeds, _ limits: ProcessLimits) -> String? {
    do {
      try needs.check(limits)
      return nil
    } catch {
      #expect((error as? RuntimeError)?.exitCode == .system)
      return "\(error)"
    }
  }

  @Test("usual limits, or none, are enough")
  func enough() {
    #expect(refusal(large, ProcessLimits()) == nil)
    #expect(refusal(small, ProcessLimits(descriptors: 1024, processes: 4096)) == nil)
    #expect(refusal(large, ProcessLimits(descriptors: 1024, memory: 8 << 30)) == nil)
  }

  @Test("open files are checked per role; which role needs most depends on the cluster")
  func descriptors() {
    #expect(
      refusal(small, ProcessLimits(descriptors: 55))
        == "Cannot start: the coordinator needs at least 58 open files, and the limit is 55; raise "
        + "it (ulimit -n).")
    #expect(
      refusal(large, ProcessLimits(descriptors: 240))?.contains("this process needs") == true)
  }

  @Test("processes, address space and the container's memory")
  func others() {
    #expect(
      refusal(small, ProcessLimits(processes: 25))
        == "Cannot start: the 5 processes of the cluster need at least 26 threads, but only 25 "
        + "more are allowed; raise the limit of processes (ulimit -u, or the container's), or use "
        + "fewer workers.")
    #expect(refusal(small, ProcessLimits(processes: 26)) == nil)
    #expect(
      refusal(small, ProcessLimits(addressSpace: 200 << 20))?
        .contains("a worker needs at least 320 MiB of address space, and the limit is 200 MiB")
        == true)
    #expect(
      refusal(large, ProcessLimits(memory: 1 << 30))?
        .contains("but the container has only 1024 MiB left; raise the container's limit") == true)
  }
}
