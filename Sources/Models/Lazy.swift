internal import Synchronization

/// A value that is made when first asked for, and once, however many threads ask.
///
/// Graphs and whole feature matrices come this way: coordinator and servers build a model only for
/// its list of tables.
final class Lazy<Value: Sendable>: Sendable {
  private let kept = Mutex<Value?>(nil)
  private let make: @Sendable () -> Value

  init(_ make: @escaping @Sendable () -> Value) { self.make = make }

  var value: Value {
    kept.withLock { kept in
      if let kept { return kept }
      let made = make()
      kept = made
      return made
    }
  }
}
