import Protocol

/// What a node of any role needs of the process that it runs in.
///
/// A node decides; an environment moves messages, runs jobs and hands their results back to the
/// node as inputs. There are three environments: sockets and threads, a queue
/// within one process (both in `Runtime/Cluster`), and a virtual clock and network (`Simulation`).
/// The node code is the same in all three, so that what runs is what is simulated.
///
/// An environment must outlive its node. All calls in both directions happen on one thread.
package protocol NodeEnvironment: AnyObject {
  /// A connection to one other process.
  associatedtype Peer: Hashable & Sendable
  /// A message as it arrives.
  associatedtype Message: ReceivedMessage

  /// Seconds on a monotonic clock.
  var now: Double { get }

  /// Writes a line to the log of the process.
  func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String)

  /// Counts and reports a message that could not be read.
  func recordMalformedMessage(_ problem: String)
}

/// The importance of a line of a node's log.
package enum NodeLogLevel {
  case info
  case warning
  /// A warning that other processes can cause without limit: a few are logged per minute.
  case frequentWarning
}

/// The environment of a node that connects to servers to read or change their tables.
package protocol ConnectingEnvironment: NodeEnvironment {
  /// Opens a connection to a server, which need not be running yet.
  ///
  /// - Throws: an error with a sentence if the address is wrong or the system refuses a connection.
  func connect(to endpoint: String) throws -> Peer

  /// Closes a connection at once; what it has not sent is dropped.
  func close(_ peer: Peer)

  /// Sends a request. What cannot be sent is logged; the node retries if no answer comes.
  func send(_ request: DataRequest, to peer: Peer)

  /// Whether an error comes from a temporary shortage of the system, such as no free file
  /// descriptor, so that a retry may succeed.
  func isPassingShortage(_ error: any Error) -> Bool
}

/// The environment of a node that is a member of a run: a server or a worker.
package protocol MemberEnvironment: NodeEnvironment {
  /// Sends a message to the coordinator. What cannot be sent is logged.
  func sendToCoordinator(_ message: NodeMessage)

  /// The present use of resources by the process.
  func usage() -> ProcessUsage
}

/// A process's use of resources, as its heartbeats report it.
package struct ProcessUsage: Sendable {
  package var residentBytes: UInt64
  package var peakResidentBytes: UInt64
  package var cpuSeconds: Double

  package init(
    residentBytes: UInt64 = 0, peakResidentBytes: UInt64 = 0, cpuSeconds: Double = 0
  ) {
    self.residentBytes = residentBytes
    self.peakResidentBytes = peakResidentBytes
    self.cpuSeconds = cpuSeconds
  }
}
