import Foundation
import Synchronization

/// Hands values from network threads to a test, which waits for them a bounded time.
final class Channel<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])
  private let available = DispatchSemaphore(value: 0)

  func put(_ value: Value) {
    values.withLock { $0.append(value) }
    available.signal()
  }

  /// The next value, or nil when none comes in time.
  func next(within seconds: Double = 60) -> Value? {
    guard available.wait(timeout: .now() + seconds) == .success else { return nil }
    return values.withLock { $0.removeFirst() }
  }

  var count: Int { values.withLock { $0.count } }
}

/// Waits until a condition holds.
func eventually(within seconds: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = Date().addingTimeInterval(seconds)
  while Date() < deadline {
    if try condition() { return true }
    Thread.sleep(forTimeInterval: 0.005)
  }
  return try condition()
}
