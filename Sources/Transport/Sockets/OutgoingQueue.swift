internal import Messages

/// What waits for one peer, bounded in bytes.
final class OutgoingQueue {
  private var messages: [WireMessage] = []
  private var firstIndex = 0
  /// What waits here.
  private let queued: ByteCount
  /// What libzmq still holds of messages that have left the queue.
  let pinned: ByteCount

  /// What a message counts beyond its bytes, so that many tiny ones are bounded too.
  private static let overheadBytes = 512
  /// A message that is an answer in words, such as an acknowledgement, and how much of such may
  /// wait for a peer that does not read.
  private static let smallBytes = 4 << 10
  private static let smallBytesQueued = 4 << 20

  /// - Parameter total: what waits for all peers of the socket.
  init(total: ByteCount) {
    queued = ByteCount(partOf: total)
    pinned = ByteCount(partOf: total)
  }

  deinit { queued.subtract(queued.value) }

  var isEmpty: Bool { firstIndex == messages.count }
  var count: Int { messages.count - firstIndex }
  var first: WireMessage? { isEmpty ? nil : messages[firstIndex] }

  /// Bytes that wait here or in libzmq's hands.
  var outstandingBytes: Int { queued.value + pinned.value }

  /// Whether nothing of the peer is left.
  var isIdle: Bool { isEmpty && pinned.value == 0 }

  func hasRoom(for message: WireMessage, limit: Int) -> Bool {
    outstandingBytes + Self.cost(of: message) <= limit
  }

  /// Whether the peer may have a message while much waits for all: it has read what came before, or
  /// the message is a small one.
  func isServedInCrowd(_ message: WireMessage) -> Bool {
    isIdle || message.byteCount <= Self.smallBytes && queued.value <= Self.smallBytesQueued
  }

  func append(_ message: WireMessage) {
    queued.add(Self.cost(of: message))
    messages.append(message)
  }

  func removeFirst() {
    queued.subtract(Self.cost(of: messages[firstIndex]))
    firstIndex += 1
    // Moving the rest down is paid for by as many removals.
    if firstIndex * 2 >= messages.count {
      messages.removeFirst(firstIndex)
      firstIndex = 0
    }
  }

  static func cost(of message: WireMessage) -> Int {
    message.byteCount + overheadBytes
  }
}
