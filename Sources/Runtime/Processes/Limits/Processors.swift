import Configuration
import Foundation
import Settings
import Tensors

/// The processors that this process may use.
package enum Processors {
  /// Processors by affinity (`taskset`), or fewer if the container has a quota of processor time.
  package static var available: Int {
    available(of: ProcessInfo.processInfo.activeProcessorCount, group: .own)
  }

  /// - Parameters:
  ///   - processors: by affinity.
  ///   - group: the container.
  package static func available(of processors: Int, group: ControlGroup) -> Int {
    let quota = group.processorQuota.map { Int(max(1, min($0, 1e6)).rounded()) } ?? processors
    return max(1, min(processors, quota))
  }

  /// The threads that each of `processes` on this machine computes on.
  ///
  /// - Parameter wanted: by the user; 0: the available processors, divided among the processes.
  package static func threads(wanted: Int, processes: Int) -> Int {
    let share = wanted > 0 ? wanted : available / max(1, processes)
    return max(1, min(share, Lanes.mostCount))
  }
}

/// The threads that the processes of a cluster on one machine compute on.
package struct ComputingThreads: Sendable, Equatable {
  package let perWorker: Int
  /// Servers have their own share of all processors, because they compute while workers wait.
  package let perServer: Int
  private let cluster: (workers: Int, servers: Int)

  package init(_ configuration: RunConfiguration) {
    let cluster = configuration.cluster
    perWorker = Processors.threads(wanted: cluster.threads, processes: cluster.workers)
    perServer = Processors.threads(wanted: cluster.threads, processes: cluster.servers)
    self.cluster = (cluster.workers, cluster.servers)
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.perWorker == right.perWorker && left.perServer == right.perServer
      && left.cluster == right.cluster
  }

  /// What was chosen, for the user.
  package var sentence: String {
    func count(_ number: Int, _ noun: String) -> String {
      "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
    return "\(count(Processors.available, "processor")): "
      + "\(count(cluster.workers, "worker")) on \(count(perWorker, "thread")) each, "
      + "\(count(cluster.servers, "server")) on \(count(perServer, "thread")) each "
      + "(--workers, --servers, --threads)"
  }
}

extension RunSetup {
  /// The threads that a run in one process computes on.
  ///
  /// - Parameter jobs: how many runs share the processors.
  package func threads(jobs: Int = 1) -> Int {
    Processors.threads(wanted: configuration.cluster.threads, processes: jobs)
  }
}
