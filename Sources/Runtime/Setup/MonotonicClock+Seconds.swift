import Transport

extension MonotonicClock {
  /// Seconds since some moment before the program started, for the state machines that are told
  /// the time.
  public static var seconds: Double {
    let parts = now.components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }
}
