import Foundation
import Protocol
import Runtime
import TestSupport
import Testing

@Suite struct RunUsageTests {
  @Test("times of a role are those of all its processes, those that were replaced too")
  func roles() throws {
    var usage = RunUsage(wattsPerCore: 10)
    usage.ownSeconds = 0.5
    for (incarnation, seconds) in [(1, 1.0), (1, 2.5), (2, 1.0), (1, 2.0)] {
      usage.note(.worker, incarnation: UInt64(incarnation), cpuSeconds: seconds)
    }
    usage.note(.server, incarnation: 3, cpuSeconds: 4)
    usage.note(.server, incarnation: 4, cpuSeconds: .nan)
    #expect(usage.cpuSeconds == ["coordinator": 0.5, "worker": 3.5, "server": 4])
    #expect(usage.totalSeconds == 8 && usage.estimatedJoules == 80)
    #expect(usage.sentence.contains("8.0 s (coordinator 0.5, server 4.0, worker 3.5)"))
    #expect(usage.sentence.contains("10 W") && usage.sentence.contains("estimate"))
    usage.isSingleProcess = true
    #expect(usage.cpuSeconds["process"] == 0.5 && usage.cpuSeconds["coordinator"] == nil)
  }

  @Test("a resumed run adds what its earlier starts recorded, and nothing of another run")
  func resumed() throws {
    func summary(starts: Int) -> [UInt8] {
      Array(
        """
        {"run_id": "a", "usage": {"cpu_seconds": {"worker": 3, "total": 3}, "starts": \(starts),
        "energy": {"estimated_joules": 30, "watts_per_core": 10, "measured_joules": 7}}}
        """.utf8)
    }
    var usage = RunUsage(wattsPerCore: 1)
    usage.continueFrom(summary(starts: 2), runID: "b")
    #expect(usage.starts == 1 && usage.totalSeconds == 0)
    usage.continueFrom(summary(starts: 2), runID: "a")
    usage.note(.worker, incarnation: 1, cpuSeconds: 1)
    usage.ownJoules = 1
    #expect(usage.starts == 3 && usage.cpuSeconds["worker"] == 4)
    #expect(usage.measuredJoules == 8)
    for text in ["", "[]", "{\"run_id\": \"a\", \"usage\": 1}"] {
      usage.continueFrom(Array(text.utf8), runID: "a")
    }
    #expect(usage.starts == 3)
    // A damaged number stops nothing.
    usage.continueFrom(summary(starts: .max), runID: "a")
    #expect(usage.starts > 3)
    usage.continueFrom(summary(starts: .min), runID: "a")
    #expect(usage.starts == 1)
  }

  @Test("a machine's counters are read over their end, and parts of processors are not added")
  func meter() throws {
    let folder = try TemporaryFolder()
    func set(_ zone: String, _ energy: Int) throws {
      try FileManager.default.createDirectory(
        atPath: folder.path(zone), withIntermediateDirectories: true)
      try folder.write("\(energy)\n", to: "\(zone)/energy_uj")
      try folder.write("1000000\n", to: "\(zone)/max_energy_range_uj")
    }
    #expect(EnergyMeter(folder: folder.path) == nil)
    #expect(EnergyMeter(folder: folder.path("none")) == nil)
    try set("intel-rapl:0", 900_000)
    try set("intel-rapl:0:0", 1)
    try set("intel-rapl:1", 0)
    var meter = try #require(EnergyMeter(folder: folder.path))
    try set("intel-rapl:0", 100_000)
    try set("intel-rapl:0:0", 500_000)
    try set("intel-rapl:1", 500_000)
    meter.read()
    #expect(abs(meter.joules - 0.7) < 1e-9)
  }
}
