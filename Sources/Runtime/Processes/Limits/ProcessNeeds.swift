import Configuration
import Foundation
import ParameterServer
import Recommenders
import Settings
import Tables

/// The least that one process needs, as far as it is known before it starts.
///
/// The numbers were counted in running processes. The number of open files includes those that
/// `ConnectionGuard` reserves for the best model and checkpoints: with fewer a run would wait for
/// descriptors for ever. A limit that lets a process start may still be too low later; then the
/// process ends with an error message (`CProcess/exhaustion.c`).
package struct ProcessNeeds: Sendable, Equatable {
  /// Files that are open at the same time.
  package var descriptors: Int
  /// The threads that it starts.
  package var threads = 5
  /// Bytes of address space: the program with its libraries, and the stacks of its threads.
  package var addressSpace = 150 << 20
  /// Bytes of memory that it does not share with other processes.
  package var memory = 12 << 20

  /// An outgoing connection takes four descriptors (a socket, its queue, and two to watch it), an
  /// incoming one takes one.
  package static func coordinator(servers: Int, workers: Int) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 46 + servers + workers + 4 * servers)
    needs.threads = 6  // One writes its log.
    return needs
  }

  /// - Parameter tableBytes: of its share of the tables, with the optimizer's state.
  package static func server(workers: Int, tableBytes: Int, lanes: Int = 1) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 34 + workers)
    needs.add(lanes: lanes)
    needs.addressSpace += tableBytes
    needs.memory += tableBytes
    return needs
  }

  package static func worker(servers: Int, lanes: Int = 1) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 20 + 4 * servers, addressSpace: computingAddressSpace)
    needs.add(lanes: lanes)
    return needs
  }

  /// Every lane after the first is a thread with a stack, and takes a buffer of OpenBLAS.
  private mutating func add(lanes: Int) {
    threads += lanes - 1
    addressSpace += (lanes - 1) * Self.laneAddressSpace
  }

  private static let laneAddressSpace = 48 << 20

  /// Any command: with fewer descriptors the Swift runtime's own threads trap.
  package static let command = ProcessNeeds(descriptors: 24, addressSpace: 0)

  /// A run in one process, without a network.
  package static func singleProcess(lanes: Int = 1) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 24, addressSpace: computingAddressSpace)
    needs.add(lanes: lanes)
    return needs
  }

  /// Includes OpenBLAS's buffers: a run on 150 users failed with 293 MiB and trained with 342.
  private static let computingAddressSpace = 320 << 20

  /// A process that starts `children` others.
  package static func launcher(children: Int) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 20 + 2 * children)
    needs.threads = 0
    return needs
  }

  /// - Parameter name: of the process, such as `the coordinator`.
  /// - Throws: ``RuntimeError`` 71 with what is missing and what to do.
  package func check(_ limits: ProcessLimits, for name: String) throws {
    if let limit = limits.descriptors, limit < descriptors {
      throw ProcessLimits.refusal(
        "\(name) needs at least \(descriptors) open files, and the limit is \(limit)",
        "raise it (ulimit -n)")
    }
    if let limit = limits.addressSpace, limit < addressSpace {
      throw ProcessLimits.refusal(
        "\(name) needs at least \(addressSpace >> 20) MiB of address space, and the limit is "
          + "\(limit >> 20) MiB", "raise it (ulimit -v)")
    }
  }
}

extension ProcessLimits {
  /// - Parameters:
  ///   - found: what is needed and what is available.
  ///   - advice: what to do.
  static func refusal(_ found: String, _ advice: String) -> RuntimeError {
    RuntimeError(exitCode: .system, message: "Cannot start: \(found); \(advice).")
  }
}

/// The least that the processes of a cluster on this machine need together.
package struct ClusterNeeds: Sendable {
  /// With their names in messages; the launcher first.
  private let processes: [(name: String, needs: ProcessNeeds, count: Int)]

  /// - Parameter tableBytes: of all tables, with the optimizer's state.
  package init(
    servers: Int, workers: Int, tableBytes: Int, lanes: (worker: Int, server: Int) = (1, 1)
  ) {
    processes = [
      ("this process", .launcher(children: 1 + servers + workers), 1),
      ("the coordinator", .coordinator(servers: servers, workers: workers), 1),
      (
        "a server",
        .server(
          workers: workers, tableBytes: tableBytes / max(1, servers), lanes: lanes.server), servers
      ),
      ("a worker", .worker(servers: servers, lanes: lanes.worker), workers),
    ]
  }

  private func sum(_ part: KeyPath<ProcessNeeds, Int>) -> Int {
    processes.reduce(0) { $0 + $1.needs[keyPath: part] * $1.count }
  }

  /// - Throws: ``RuntimeError`` 71 with what is missing and what to do.
  package func check(_ limits: ProcessLimits) throws {
    for (name, needs, _) in processes { try needs.check(limits, for: name) }
    let count = processes.dropFirst().reduce(0) { $0 + $1.count }
    let threads = sum(\.threads)
    if let free = limits.processes, free < threads {
      throw ProcessLimits.refusal(
        "the \(count) processes of the cluster need at least \(threads) threads, but only \(free) "
          + "more are allowed",
        "raise the limit of processes (ulimit -u, or the container's), or use fewer workers")
    }
    let memory = sum(\.memory)
    if let free = limits.memory, free < memory {
      throw ProcessLimits.refusal(
        "the \(count) processes of the cluster need at least \(memory >> 20) MiB of memory, but "
          + "the container has only \(free >> 20) MiB left",
        "raise the container's limit, or use fewer workers")
    }
  }
}

extension ClusterNeeds {
  /// The needs of the cluster that `train` starts.
  init(_ setup: RunSetup) {
    let cluster = setup.configuration.cluster
    let threads = ComputingThreads(setup.configuration)
    self.init(
      servers: cluster.servers, workers: cluster.workers,
      tableBytes: setup.tableBytes.reduce(0, +), lanes: (threads.perWorker, threads.perServer))
  }

  /// Says that the processes surely do not fit into this machine; nil if they may.
  ///
  /// - Parameter memory: bytes of the machine.
  package func warning(memory: UInt64) -> String? {
    let needed = sum(\.memory)
    guard needed > memory else { return nil }
    return "the processes need at least \(needed >> 20) MiB of memory for tables and optimizer "
      + "states, and this machine has \(memory >> 20) MiB: use more machines, a smaller "
      + "embedding_size, or an optimizer with less state (mrdib doctor --data … says more)"
  }
}

extension RunSetup {
  /// Bytes of each table on all servers together: weights, optimizer states and update numbers.
  package var tableBytes: [Int] {
    let optimizer = OptimizerConfiguration(configuration).description
    return model.tables.map {
      $0.rows * optimizer.layout(width: $0.width, rule: $0.rule).byteCount
    }
  }

  /// Says that the run surely does not fit into this machine; nil if it may.
  package var memoryWarning: String? {
    ClusterNeeds(self).warning(memory: ProcessInfo.processInfo.physicalMemory)
  }
}
