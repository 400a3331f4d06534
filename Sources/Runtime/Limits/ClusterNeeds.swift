import Models
import ParameterServer
import RunConfiguration
import Settings
import Tables

/// What the processes of a cluster on this machine need together at the least.
package struct ClusterNeeds: Sendable {
  /// By the name that people are told; the one that starts the others first.
  private let processes: [(name: String, needs: ProcessNeeds, count: Int)]

  /// - Parameter tableBytes: of all tables, with the optimizer's state.
  package init(servers: Int, workers: Int, tableBytes: Int) {
    processes = [
      ("this process", .launcher(children: 1 + servers + workers), 1),
      ("the coordinator", .coordinator(servers: servers, workers: workers), 1),
      ("a server", .server(workers: workers, tableBytes: tableBytes / max(1, servers)), servers),
      ("a worker", .worker(servers: servers), workers),
    ]
  }

  private func sum(_ part: KeyPath<ProcessNeeds, Int>) -> Int {
    processes.reduce(0) { $0 + $1.needs[keyPath: part] * $1.count }
  }

  /// - Throws: ``RuntimeError`` 71 that says what is missing and what to do.
  package func check(_ limits: ProcessLimits) throws {
    for (name, needs, _) in processes { try needs.check(limits, for: name) }
    let count = processes.dropFirst().reduce(0) { $0 + $1.count }
    let threads = sum(\.threads)
    if let free = limits.processes, free < threads {
      throw ProcessLimits.refusal(
        "the \(count) processes of the cluster have at least \(threads) threads, and \(free) more "
          + "are allowed",
        "raise the limit of processes (ulimit -u, or the container's), or take fewer workers")
    }
    let memory = sum(\.memory)
    if let free = limits.memory, free < memory {
      throw ProcessLimits.refusal(
        "the \(count) processes of the cluster need at least \(memory >> 20) MiB of memory, and "
          + "the container has \(free >> 20) MiB left",
        "raise the container's limit, or take fewer workers")
    }
  }
}

extension ClusterNeeds {
  /// Of the cluster that `train` starts.
  init(_ setup: RunSetup) {
    let cluster = setup.configuration.cluster
    let states = OptimizerConfiguration(setup.configuration).description.states
    let values = setup.model.tables.reduce(0) { sum, table in
      let beside = states.reduce(0) { $0 + $1.width(besideRowOf: table.width) }
      return sum + table.rows * (table.width + beside)
    }
    self.init(
      servers: cluster.servers, workers: cluster.workers,
      tableBytes: values * MemoryLayout<Float>.stride)
  }
}
