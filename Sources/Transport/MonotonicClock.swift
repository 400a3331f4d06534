internal import Glibc

/// The time that only moves forward, for the shells that hand it to state machines.
public enum MonotonicClock {
  /// Time since a fixed moment of this machine's past. Means nothing on another machine.
  public static var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
