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
