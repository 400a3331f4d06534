import Nodes
import ParameterServer
import Protocol
import Worker

/// The connections of a run in one process. Both ends of one use the same name.
enum LocalLink: Hashable, Sendable {
  case workerToCoordinator
  case serverToCoordinator
  case workerToServer
  /// By which the best model is read; a new one each time.
  case coordinatorToServer(number: UInt64)
}

/// A message or the result of a job on its way to a node.
enum LocalDelivery: Sendable {
  case toCoordinator(MemoryMessage, LocalLink)
  case toServer(MemoryMessage, LocalLink)
  case toWorker(MemoryMessage, LocalLink)
  case coordinatorNews(CoordinatorReport)
  case serverEvent(ServerSessionEvent<LocalLink>)
  case workerEvent(WorkerEvent)
}

/// The queue that joins the nodes of a run in one process. Belongs to the thread of the run;
/// other threads use the inbox.
final class LocalDeliveries {
  let inbox = Inbox<LocalDelivery>()
  private var queue: [LocalDelivery] = []
  /// How the run ends; the first ending counts.
  private(set) var ending: Result<RoleOutcome, any Error>?

  var isEmpty: Bool { queue.isEmpty }

  func add(_ delivery: LocalDelivery) { queue.append(delivery) }

  /// Takes over what other threads have left. With nothing else to do, waits a moment for it.
  func takeInbox() { queue += inbox.take(waitingAtMost: queue.isEmpty ? 0.01 : 0) }

  /// Everything that is there, in order.
  func takeAll() -> [LocalDelivery] {
    let deliveries = queue
    queue.removeAll(keepingCapacity: true)
    return deliveries
  }

  func end(_ ending: Result<RoleOutcome, any Error>) {
    if self.ending == nil { self.ending = ending }
  }
}
