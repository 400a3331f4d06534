/// When a node leaves after a request to stop. Engines stop all processes of a cluster at once; a
/// node that stays meanwhile lets the coordinator, which was stopped too, end the run with a last
/// checkpoint and dismiss the node.
struct StopDelay {
  private let seconds: Double
  private var deadline: Double?

  init(seconds: Double) { self.seconds = seconds }

  /// Whether to leave now; a second request ends the delay.
  ///
  /// - Parameters:
  ///   - isRequested: whether a request has arrived since the last call.
  ///   - now: seconds.
  mutating func isOver(isRequested: Bool, at now: Double) -> Bool {
    if isRequested { deadline = deadline == nil ? now + seconds : now }
    guard let deadline, now >= deadline else { return false }
    self.deadline = .infinity
    return true
  }
}
