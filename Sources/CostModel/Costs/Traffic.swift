/// Messages and their bytes, in means of a step.
package struct Traffic: Sendable, Equatable {
  package var messages = 0.0
  package var bytes = 0.0

  package init() {}

  mutating func add(messages: Double = 1, bytes: Double) {
    self.messages += messages
    self.bytes += messages * bytes
  }

  static func += (left: inout Self, right: Self) {
    left.messages += right.messages
    left.bytes += right.bytes
  }

  static func / (left: Self, divisor: Double) -> Self {
    var result = left
    result.messages /= divisor
    result.bytes /= divisor
    return result
  }
}

extension Traffic: Encodable {}

/// What a process sends and receives.
package struct TwoWayTraffic: Sendable, Equatable, Encodable {
  package var sent = Traffic()
  package var received = Traffic()

  package init() {}

  /// Both ways together.
  package var both: Traffic {
    var sum = sent
    sum += received
    return sum
  }

  mutating func add(request: Traffic, reply: Traffic) {
    sent += request
    received += reply
  }

  /// The same exchange at the other end.
  var reversed: TwoWayTraffic {
    var other = self
    swap(&other.sent, &other.received)
    return other
  }

  static func += (left: inout Self, right: Self) {
    left.sent += right.sent
    left.received += right.received
  }

  static func / (left: Self, divisor: Double) -> Self {
    var result = left
    result.sent = left.sent / divisor
    result.received = left.received / divisor
    return result
  }
}
