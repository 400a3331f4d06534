internal import Synchronization

/// A value that is computed on first use, exactly once even if several threads ask for it.
///
/// Graphs and whole feature matrices are lazy, because coordinator and servers build a model only
/// for its list of tables.
public final class Lazy<Value: Sendable>: Sendable {
  private let kept = Mutex<Value?>(nil)
  private let make: @Sendable () -> Value

  public init(_ make: @escaping @Sendable () -> Value) { self.make = make }

  public var value: Value {
    kept.withLock { kept in
      if let kept { return kept }
      let made = make()
      kept = made
      return made
    }
  }
}

/// The value of one key, such as the graph of an epoch; recomputed when the key changes.
final class SingleEntryCache<Key: Equatable & Sendable, Value: Sendable>: Sendable {
  private let make: @Sendable (Key) -> Value
  private let latest = LatestValue<Key, Value>()

  init(_ make: @escaping @Sendable (Key) -> Value) { self.make = make }

  subscript(key: Key) -> Value { latest.value(of: key, or: { make(key) }) }
}

/// The value of one key, computed by the caller that first asks for it.
final class LatestValue<Key: Equatable & Sendable, Value: Sendable>: Sendable {
  private let kept = Mutex<(key: Key, value: Value)?>(nil)

  func value(of key: Key, or make: () -> Value) -> Value {
    kept.withLock { kept in
      if let kept, kept.key == key { return kept.value }
      let made = make()
      kept = (key, made)
      return made
    }
  }
}
