internal import Synchronization

/// The value of one key, such as the graph of an epoch; recomputed when the key changes.
final class SingleEntryCache<Key: Equatable & Sendable, Value: Sendable>: Sendable {
  private let make: @Sendable (Key) -> Value
  private let kept = Mutex<(key: Key, value: Value)?>(nil)

  init(_ make: @escaping @Sendable (Key) -> Value) { self.make = make }

  subscript(key: Key) -> Value {
    kept.withLock { kept in
      if let kept, kept.key == key { return kept.value }
      let made = make(key)
      kept = (key, made)
      return made
    }
  }
}
