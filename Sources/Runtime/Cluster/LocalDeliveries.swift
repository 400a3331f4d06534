import Foundation
import Nodes
import ParameterServer
import Protocol
import Worker

/// The connections of a run in one process. Both ends of a connection use the same name.
enum LocalLink: Hashable, Sendable {
  case workerToCoordinator
  case serverToCoordinator
  case workerToServer
  /// For reading the best model; a new one each time.
  case coordinatorToServer(number: UInt64)
}

/// A message or the result of a job on its way to a node.
enum LocalDelivery: Sendable {
  case toCoordinator(MemoryMessage, LocalLink)
  case toServer(MemoryMessage, LocalLink)
  case toWorker(MemoryMessage, LocalLink)
  case coordinatorReport(CoordinatorReport)
  case serverEvent(ServerSessionEvent<LocalLink>)
  case workerEvent(WorkerEvent)
}

/// The queue that connects the nodes of a run in one process. Only the thread of the run uses it;
/// other threads use the inbox.
final class LocalDeliveries {
  let inbox = Inbox<LocalDelivery>()
  private var queue: [LocalDelivery] = []
  /// How the run ends; the first ending counts.
  private(set) var ending: Result<RoleOutcome, any Error>?

  var isEmpty: Bool { queue.isEmpty }

  func add(_ delivery: LocalDelivery) { queue.append(delivery) }

  /// Moves the deliveries of other threads into the queue. Waits briefly for one if it is empty.
  func takeInbox() { queue += inbox.take(waitingAtMost: queue.isEmpty ? 0.01 : 0) }

  /// Removes and returns all deliveries, in order.
  func takeAll() -> [LocalDelivery] {
    let deliveries = queue
    queue.removeAll(keepingCapacity: true)
    return deliveries
  }

  func end(_ ending: Result<RoleOutcome, any Error>) {
    if self.ending == nil { self.ending = ending }
  }
}

/// A queue from other threads to the one thread of a run. Waiting uses no processor time.
final class Inbox<Element: Sendable>: @unchecked Sendable {  // `elements` only under the lock
  private let condition = NSCondition()
  private var elements: [Element] = []

  func add(_ element: Element) {
    condition.lock()
    elements.append(element)
    condition.signal()
    condition.unlock()
  }

  /// Removes and returns all elements; if there are none, waits so many seconds for one.
  func take(waitingAtMost seconds: Double) -> [Element] {
    condition.lock()
    defer { condition.unlock() }
    if elements.isEmpty, seconds > 0 {
      _ = condition.wait(until: Date(timeIntervalSinceNow: seconds))
    }
    defer { elements = [] }
    return elements
  }
}
