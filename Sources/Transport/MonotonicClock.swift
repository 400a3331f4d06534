import Glibc

/// The system's monotonic clock, read by the drivers of state machines.
package enum MonotonicClock {
  /// Time since an arbitrary fixed moment; not comparable between machines.
  package static var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

extension Duration {
  /// Whole milliseconds, rounded up: a wait of this length does not end early.
  var millisecondsRoundedUp: Int {
    let (seconds, attoseconds) = components
    let perMillisecond: Int64 = 1_000_000_000_000_000
    let fraction = (attoseconds + perMillisecond - 1) / perMillisecond
    let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    return overflows ? Int(Int32.max) : Int(whole) + Int(fraction)
  }
}
