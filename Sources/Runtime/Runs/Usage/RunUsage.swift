import Foundation
import Protocol

/// The processor time of a run's processes, and an estimate of the energy that it took.
package struct RunUsage: Sendable, Equatable {
  /// The most processes that are counted; a run has far fewer, restarts included.
  private static let mostProcesses = 1 << 16

  /// Seconds of processes by their incarnation, as the last heartbeat said.
  private var processes: [UInt64: (role: NodeRole, seconds: Double)] = [:]
  /// Of the process that keeps the records.
  package var ownSeconds: Double = 0
  /// Whether that process is the whole run.
  package var isSingleProcess = false
  /// What earlier starts of the run used, by role.
  package var earlier: [String: Double] = [:]
  /// How many starts are counted.
  package var starts = 1
  /// W that a processor takes while it computes: an assumption.
  package var wattsPerCore: Double
  /// J that the coordinator's machine took during this start, by its own meters, with all that ran
  /// on it; nil if it has none.
  package var ownJoules: Double?
  /// The same of earlier starts.
  package var earlierJoules: Double = 0

  package init(wattsPerCore: Double) { self.wattsPerCore = wattsPerCore }

  /// Takes a heartbeat of a process. Times of a process only grow; those of the processes before it
  /// are kept.
  package mutating func note(_ role: NodeRole, incarnation: UInt64, cpuSeconds: Double) {
    guard cpuSeconds.isFinite, cpuSeconds >= 0,
      processes[incarnation] != nil || processes.count < Self.mostProcesses
    else { return }
    let before = processes[incarnation]?.seconds ?? 0
    processes[incarnation] = (role, max(before, cpuSeconds))
  }

  /// User and system seconds by role: `coordinator`, `server`, `worker`, or `process` for a run in
  /// one process.
  package var cpuSeconds: [String: Double] {
    var seconds = earlier
    seconds[isSingleProcess ? "process" : "coordinator", default: 0] += ownSeconds
    for (role, process) in processes.values { seconds["\(role)", default: 0] += process }
    return seconds
  }

  /// Of all roles.
  package var totalSeconds: Double {
    cpuSeconds.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value }
  }

  /// J: ``totalSeconds`` times ``wattsPerCore``.
  package var estimatedJoules: Double { totalSeconds * wattsPerCore }

  /// J of all starts; nil if the machine has no meters.
  package var measuredJoules: Double? { ownJoules.map { $0 + earlierJoules } }

  /// What the estimate is made of and what it leaves out.
  package var assumption: String {
    String(format: "an estimate: %g W per processor while it computes", wattsPerCore)
      + " (watts_per_core), times cpu_seconds; idle processors, memory, disks, network and "
      + "cooling are left out"
  }

  /// One line for the user.
  package var sentence: String {
    let parts = cpuSeconds.sorted { $0.key < $1.key }
      .map { String(format: "%@ %.1f", $0.key as NSString, $0.value) }
    let measured = measuredJoules.map {
      String(format: "; %.3g Wh measured on this machine, with all that ran on it", $0 / 3600)
    }
    return String(format: "processor time %.1f s", totalSeconds)
      + " (\(parts.joined(separator: ", "))); "
      + String(
        format: "about %.3g Wh at %g W per busy processor (an estimate)", estimatedJoules / 3600,
        wattsPerCore) + (measured ?? "")
  }

  package static func == (left: RunUsage, right: RunUsage) -> Bool {
    left.cpuSeconds == right.cpuSeconds && left.starts == right.starts
      && left.wattsPerCore == right.wattsPerCore && left.measuredJoules == right.measuredJoules
  }
}

/// `usage` in `summary.json`.
extension RunUsage: Encodable {
  private enum Key: String, CodingKey {
    case starts, energy
    case cpuSeconds = "cpu_seconds"
  }

  private enum EnergyKey: String, CodingKey {
    case assumption
    case estimatedJoules = "estimated_joules"
    case wattsPerCore = "watts_per_core"
    case measuredJoules = "measured_joules"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(
      cpuSeconds.merging(["total": totalSeconds]) { $1 }, forKey: .cpuSeconds)
    try container.encode(starts, forKey: .starts)
    var energy = container.nestedContainer(keyedBy: EnergyKey.self, forKey: .energy)
    try energy.encode(estimatedJoules, forKey: .estimatedJoules)
    try energy.encode(wattsPerCore, forKey: .wattsPerCore)
    try energy.encode(assumption, forKey: .assumption)
    try energy.encodeIfPresent(measuredJoules, forKey: .measuredJoules)
  }
}

extension RunUsage {
  /// `usage` of a `summary.json`, as it was written.
  package struct Recorded: Decodable, Sendable {
    package struct Energy: Decodable, Sendable {
      /// J.
      package let estimatedJoules: Double
      package let wattsPerCore: Double
      /// J; nil if the machine has no meters.
      package let measuredJoules: Double?

      private enum CodingKeys: String, CodingKey {
        case estimatedJoules = "estimated_joules"
        case wattsPerCore = "watts_per_core"
        case measuredJoules = "measured_joules"
      }
    }

    /// By role, and `total`.
    package let cpuSeconds: [String: Double]
    package let starts: Int
    package let energy: Energy

    private enum CodingKeys: String, CodingKey {
      case starts, energy
      case cpuSeconds = "cpu_seconds"
    }
  }

  /// Adds what the summary of an earlier start of the same run recorded. What a process that was
  /// killed used since is not known.
  package mutating func continueFrom(_ summary: [UInt8], runID: String) {
    guard let written = try? JSONDecoder().decode(Written.self, from: Data(summary)),
      written.runID == runID, let usage = written.usage
    else { return }
    earlier = usage.cpuSeconds.filter { $0.key != "total" && $0.value.isFinite && $0.value >= 0 }
    // A damaged file may have any number.
    starts = max(0, min(usage.starts, Self.mostProcesses)) + 1
    earlierJoules = usage.energy.measuredJoules ?? 0
  }

  private struct Written: Decodable {
    var runID: String
    var usage: Recorded?

    enum CodingKeys: String, CodingKey {
      case usage
      case runID = "run_id"
    }
  }
}
