import Files
import Foundation
import Nodes
import Telemetry

/// What the operating system knows of this process, and which program it is. Read when it is asked
/// for, on the reader's thread.
struct ProcessMetrics: MetricSource {
  let role: String
  let board: TelemetryBoard
  private let startedAt = Date().timeIntervalSince1970

  init(role: String, board: TelemetryBoard) {
    self.role = role
    self.board = board
  }

  var families: [MetricFamily] {
    let usage = ProcessUsage.current()
    let own = [MetricFamily.Label("role", role)]
    func one(
      _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: Double
    ) -> MetricFamily { MetricFamily(name, kind, help, value).labelled(own) }
    var build = MetricFamily("mrdib_build", .info, "The program and its kernels.")
    build.add(
      own + [.init("version", Program.version), .init("kernels", BLASKernels.runningName)], 1)
    return [
      build,
      one("mrdib_process_cpu_seconds", .counter, "CPU time of the process.", usage.cpuSeconds),
      one(
        "mrdib_process_resident_memory_bytes", .gauge, "Memory of the process.",
        Double(usage.residentBytes)),
      one(
        "mrdib_process_peak_resident_memory_bytes", .gauge, "The most memory that it had.",
        Double(usage.peakResidentBytes)),
      one(
        "mrdib_process_start_time_seconds", .gauge, "When the process started, since 1970.",
        startedAt),
      one(
        "mrdib_process_open_descriptors", .gauge, "Open files and connections.",
        Double(Self.openDescriptors)),
      one(
        "mrdib_process_loop_age_seconds", .gauge,
        "Time since the loop of the process has turned; 0 before its first turn.",
        board.turnAge ?? 0),
      one(
        "mrdib_process_ready", .gauge, "1 while the process does its work, as /readyz reports.",
        board.status.isReady ? 1 : 0),
    ]
  }

  private static var openDescriptors: Int {
    (try? PlainFile.names(in: "/proc/self/fd", atMost: 1 << 20))?.count ?? 0
  }
}
