import Configuration
import Files
import Foundation
import ParameterServer
import Runtime
import Settings
import Worker

/// Whether a run fits into a machine, or into several alike, with all its processes.
package struct MachineFit: Sendable, Equatable, Encodable {
  /// Bytes of memory of a machine, or of its container.
  package let memory: Int
  package let machines: Int
  /// Bytes that processes can have now; nil if unknown.
  package let freeMemory: Int?
  /// Bytes of memory that the run needs.
  package let neededMemory: Int
  /// Bytes that are free where checkpoints are written; nil if unknown or no folder of a machine.
  package let freeDisk: Int?
  /// Bytes of disk that the run needs.
  package let neededDisk: Int
  /// Why the run does not fit, as sentences; empty if it does.
  package let problems: [String]
  /// What may be in its way now.
  package let warnings: [String]

  enum CodingKeys: String, CodingKey {
    case memory, machines, problems, warnings
    case freeMemory = "free_memory"
    case neededMemory = "needed_memory"
    case freeDisk = "free_disk"
    case neededDisk = "needed_disk"
  }

  /// What a machine has.
  package struct Machine: Sendable {
    package var memory: Int
    package var freeMemory: Int?
    package var freeDisk: Int?

    package init(memory: Int, freeMemory: Int? = nil, freeDisk: Int? = nil) {
      self.memory = memory
      self.freeMemory = freeMemory
      self.freeDisk = freeDisk
    }

    /// This machine.
    ///
    /// - Parameter folder: where checkpoints are written.
    package static func current(folder: String) -> Machine {
      let container = ControlGroup.own.freeMemory.map { Int(clamping: $0) }
      let all = Int(clamping: ProcessInfo.processInfo.physicalMemory)
      let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
      return Machine(
        memory: min(all, container ?? all),
        freeMemory: [Self.availableMemory, container].compactMap { $0 }.min(),
        freeDisk: (attributes?[.systemFreeSize] as? NSNumber)?.intValue)
    }

    /// `MemAvailable`: what processes can have without swapping.
    private static var availableMemory: Int? {
      guard let bytes = try? PlainFile.contents(of: "/proc/meminfo", atMost: 64 << 10) else {
        return nil
      }
      let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix("MemAvailable:") }
      return line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        .flatMap { Int($0) }.map { $0 * 1024 }
    }
  }

  /// - Parameter machines: how many of the kind share the processes.
  package init(_ costs: RunCosts, on machine: Machine, machines: Int = 1) {
    memory = machine.memory
    self.machines = machines
    freeMemory = machine.freeMemory
    freeDisk = machine.freeDisk
    let needs = costs.memory
    // Mapped files can be given back, so that they are not among what must be there.
    neededMemory = needs.total - needs.mapped
    neededDisk = needs.disk
    var problems: [String] = []
    var warnings: [String] = []
    func size(_ bytes: Int) -> String { RunCosts.size(bytes) }
    let largest = needs.processes.max { $0.own < $1.own }
    if neededMemory > machine.memory * machines {
      let there =
        machines == 1
        ? "this machine has \(size(machine.memory))"
        : "\(machines) machines have \(size(machine.memory)) each"
      problems.append(
        "the processes need \(size(neededMemory)) of memory together, and \(there): use more "
          + "machines, an optimizer with less state, or a smaller embedding_size")
    } else if let largest, largest.own > machine.memory {
      problems.append(
        "a \(largest.role) needs \(size(largest.own)) of memory, and a machine has "
          + "\(size(machine.memory)): use more \(largest.role)s")
    } else if let free = machine.freeMemory, neededMemory > free {
      warnings.append(
        "the processes need \(size(neededMemory)) of memory together, and \(size(free)) are free "
          + "now: end other programs first")
    }
    if let free = machine.freeDisk, needs.disk > free {
      problems.append(
        "checkpoints and the best model need \(size(needs.disk)) of disk, and \(size(free)) are "
          + "free: make room, or name another checkpoint_folder")
    }
    let limit = ServerLimits().tableBytes
    let server = needs.processes.first { $0.role == "server" }
    let tables = server?.parts.first { $0.name == MemoryNeeds.tablesName }?.bytes ?? 0
    if tables > limit {
      problems.append(
        "a server would hold \(size(tables)) of tables, and its limit is \(size(limit)): use more "
          + "servers")
    }
    if let largest = costs.largestMessage, largest > Double(PushLimit.byteCount) {
      problems.append(
        "a message would have \(size(Int(largest))), and the limit is "
          + "\(size(PushLimit.byteCount)): use more servers")
    }
    self.problems = problems
    self.warnings = warnings
  }

  /// The sentences for the user; one that says that the run fits, if it does.
  package var lines: [String] {
    problems.map { "does not fit: \($0)" } + warnings.map { "warning: \($0)" }
      + (problems.isEmpty
        ? [
          "fits: \(RunCosts.size(neededMemory)) of memory are needed and "
            + "\(RunCosts.size(memory * machines)) are there; disk: "
            + "\(RunCosts.size(neededDisk)) of "
            + "\(freeDisk.map { RunCosts.size($0) } ?? "what the store has")"
        ] : [])
  }
}

extension RunCosts {
  /// Bytes of the largest message of a step, in the mean over servers; nil if there are none.
  var largestMessage: Double? {
    traffic.exchanges.values.flatMap { [$0.sent, $0.received] }
      .filter { $0.messages > 0 }.map { $0.bytes / $0.messages }.max()
  }
}
