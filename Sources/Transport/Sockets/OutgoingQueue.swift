internal import Messages

/// What waits for one peer, bounded in bytes.
final class OutgoingQueue {
  private var messages: [WireMessage] = []
  private var firstIndex = 0
  private var queuedBytes = 0
  /// What libzmq still holds of messages that have left the queue.
  let pinned = PinnedBytes()

  /// What a message counts beyond its bytes, so that many tiny ones are bounded too.
  private static let overheadBytes = 512

  var isEmpty: Bool { firstIndex == messages.count }
  var count: Int { messages.count - firstIndex }
  var first: WireMessage? { isEmpty ? nil : messages[firstIndex] }

  /// Bytes that wait here or in libzmq's hands.
  var outstandingBytes: Int { queuedBytes + pinned.value }

  /// Whether nothing of the peer is left.
  var isIdle: Bool { isEmpty && pinned.value == 0 }

  func hasRoom(for message: WireMessage, limit: Int) -> Bool {
    outstandingBytes + Self.cost(of: message) <= limit
  }

  func append(_ message: WireMessage) {
    queuedBytes += Self.cost(of: message)
    messages.append(message)
  }

  func removeFirst() {
    queuedBytes -= Self.cost(of: messages[firstIndex])
    firstIndex += 1
    // Moving the rest down is paid for by as many removals.
    if firstIndex * 2 >= messages.count {
      messages.removeFirst(firstIndex)
      firstIndex = 0
    }
  }

  private static func cost(of message: WireMessage) -> Int {
    message.byteCount + overheadBytes
  }
}
