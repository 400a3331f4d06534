import Foundation

/// Where other threads leave things for the one thread of a run. Waiting for them takes no time
/// from a processor.
final class Inbox<Element: Sendable>: @unchecked Sendable {  // `elements` only under the lock
  private let condition = NSCondition()
  private var elements: [Element] = []

  func add(_ element: Element) {
    condition.lock()
    elements.append(element)
    condition.signal()
    condition.unlock()
  }

  /// Everything that is there; waits for something for so many seconds.
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
