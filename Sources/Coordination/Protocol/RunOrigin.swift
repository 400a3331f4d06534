import Messages

/// What the tables of a generation begin with.
public enum RunOrigin: Sendable, Equatable {
  /// Version 0.
  case initialValues
  case checkpoint(RestoredCheckpoint)
  /// The servers went on while the coordinator was started again, and have their tables still.
  case adoption

  var restored: RestoredCheckpoint? {
    if case .checkpoint(let restored) = self { restored } else { nil }
  }

  /// The version that restored or initial tables have.
  var version: UInt64 { restored?.version ?? 0 }
}
