/// A best model that the shell reads from the servers and writes.
struct Saving: Sendable, Equatable {
  let since: Double
  /// When something was last read or written, or asked for at first.
  var movedAt: Double
  /// When to ask for it again.
  var retryAt: Double?
  /// Why the latest try failed.
  var problem: String?

  init(since: Double) {
    self.since = since
    movedAt = since
  }
}
