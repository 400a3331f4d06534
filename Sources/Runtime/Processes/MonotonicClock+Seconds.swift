import Transport

extension MonotonicClock {
  /// Seconds since a fixed time before the program started, for state machines that get the time as
  /// an argument.
  package static var seconds: Double {
    let parts = now.components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}
