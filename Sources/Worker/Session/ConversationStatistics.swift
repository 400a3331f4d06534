import Protocol
import Telemetry

/// Counts of a worker's exchange with the servers since its start.
package struct ConversationStatistics: Sendable, Equatable {
  /// From the first sending of a request to its reply, by kind of request. A pull contains the wait
  /// for its version.
  package internal(set) var pullSeconds = Histogram.ofDurations
  package internal(set) var pushSeconds = Histogram.ofDurations
  package internal(set) var reduceSeconds = Histogram.ofDurations
  /// By how many versions the rows of a reply were older than asked for; 0 in `bsp`.
  package internal(set) var staleness = Histogram.ofCounts
  /// Versions to which gradients were pushed.
  package internal(set) var versions: UInt64 = 0
  /// This worker's share of each part of the loss of its latest step. The shares of all workers add
  /// up to the loss.
  package internal(set) var loss: [String: Double] = [:]
  /// Requests that were sent again.
  package internal(set) var repeated: UInt64 = 0
  /// Refused requests by reason.
  package internal(set) var refusals: [Refusal.Code: Int] = [:]

  package init() {}

  /// Counts the gradients of a version, and keeps their part of the loss.
  mutating func note(_ pushes: [ServerRequest<PushRequest>]) {
    guard pushes.contains(where: { $0.body.kind == .gradient }) else { return }
    versions += 1
    let prefix = "loss."
    var latest: [String: Double] = [:]
    for push in pushes where !push.body.sums.isEmpty {
      for (name, value) in push.body.sums where name.hasPrefix(prefix) {
        latest[String(name.dropFirst(prefix.count)), default: 0] += value
      }
    }
    // Rounds that do not update the model have no loss.
    if !latest.isEmpty { loss = latest }
  }

  /// Counts the reply to a request.
  mutating func note(_ reply: DataReplyBody, to request: DataRequestBody, after seconds: Double) {
    switch (request, reply) {
    case (_, .refused(let refusal)): refusals[refusal.code, default: 0] += 1
    case (.pull(let pull), .pulled(let pulled)):
      pullSeconds.observe(seconds)
      staleness.observe(Double(pull.version - min(pull.version, pulled.version)))
    case (.push, .pushed): pushSeconds.observe(seconds)
    case (.reduce, .reduced): reduceSeconds.observe(seconds)
    default: break
    }
  }
}
