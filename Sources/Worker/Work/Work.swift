import Datasets
import Protocol
import Recommenders

/// A request with the server to send it to.
package struct ServerRequest<Body: Sendable>: Sendable {
  package let server: Int
  package let body: Body

  package init(server: Int, body: Body) {
    self.server = server
    self.body = body
  }
}

/// Input that a task waits for.
package enum WorkInput: Sendable {
  case begin
  /// The replies to a pull, one per request, in the order of the requests.
  case pulled([PullReply])
  /// The replies to a reduce, one per request, in the order of the requests.
  case reduced([ReduceReply])
  /// The pushes were passed to the network; they need not have arrived.
  case sent
  /// The servers have passed the version of a pull or a reduce, and are at this one: everything
  /// before it is complete on all of them.
  case versionSuperseded(UInt64)
}

/// The requests of a task, or its reports.
package enum WorkOutput: Sendable {
  case pull([ServerRequest<PullRequest>])
  /// The servers add the values and rows of all shards.
  case reduce([ServerRequest<ReduceRequest>])
  case push([ServerRequest<PushRequest>])
  /// Pushes, and the pull of the next version.
  ///
  /// - Parameter isHeld: whether the pull must wait until every push is acknowledged.
  case pushAndPull([ServerRequest<PushRequest>], [ServerRequest<PullRequest>], isHeld: Bool)
  /// Everything is computed; the task is done when every push is acknowledged.
  case done([UnitReport])
}

/// A task that alternates with the servers: it computes until it needs them, returns its requests,
/// and continues with their replies. It uses no socket and no clock, and runs on the computing
/// thread.
package protocol Work: AnyObject {
  /// Computes with an input until the next requests or the end.
  ///
  /// - Throws: ``TrainingError`` when the task cannot continue.
  func advance(_ input: WorkInput) throws -> WorkOutput

  /// Computes something of what follows that needs nothing of the servers; called while the task
  /// waits for them. Changes no result.
  func prepare()

  /// The number of finished steps or blocks.
  var progress: UInt64 { get }

  /// The interactions whose gradients were pushed.
  var examples: UInt64 { get }

  /// Bytes of buffers that only this task needs, until its end.
  var bufferByteCount: Int { get }
}

extension Work {
  package func prepare() {}

  package var examples: UInt64 { 0 }
  package var bufferByteCount: Int { 0 }
}

/// Why a task failed on a worker.
package struct TrainingError: Error, CustomStringConvertible, Sendable {
  package let kind: TaskFailure.Kind
  package let description: String

  package init(_ description: String, kind: TaskFailure.Kind = .failed) {
    self.kind = kind
    self.description = description
  }

  /// Rows of a version are needed, but the servers have passed it.
  init(_ version: UInt64, isGone present: UInt64) {
    self.init(
      "Cannot read the rows of version \(version): the servers are already at version \(present).")
  }
}

extension TaskFailure {
  /// The report of an error to the coordinator.
  package init(describing error: any Error) {
    let kind: Kind =
      switch error {
      case let error as TrainingError: error.kind
      case EvaluationError.scoreNotFinite: .diverged
      case let error as DatasetError where error.kind == .changed: .dataChanged
      default: .failed
      }
    self.init(kind, "\(error)")
  }
}
