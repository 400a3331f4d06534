import Protocol
import Synchronization

/// The messages that wait for one peer, bounded in bytes.
final class OutgoingQueue {
  private var messages: [WireMessage] = []
  private var firstIndex = 0
  /// Bytes in this queue.
  private let queued: ByteCount
  /// Bytes of messages that have left the queue and that libzmq still holds.
  let pinned: ByteCount

  /// Added to the bytes of every message, so that the number of tiny messages is bounded too.
  private static let overheadBytes = 512
  /// The size up to which a message counts as small (acknowledgements and refusals are), and the
  /// bytes of small messages that may wait for a peer that does not read.
  private static let smallBytes = 4 << 10
  private static let smallBytesQueued = 4 << 20

  /// - Parameter total: counts the bytes that wait for all peers of the socket.
  init(total: ByteCount) {
    queued = ByteCount(partOf: total)
    pinned = ByteCount(partOf: total)
  }

  deinit { queued.subtract(queued.value) }

  var isEmpty: Bool { firstIndex == messages.count }
  var count: Int { messages.count - firstIndex }
  var first: WireMessage? { isEmpty ? nil : messages[firstIndex] }

  /// Bytes that wait here or in libzmq.
  var outstandingBytes: Int { queued.value + pinned.value }

  /// Whether no bytes of the peer are outstanding.
  var isIdle: Bool { isEmpty && pinned.value == 0 }

  func hasRoom(for message: WireMessage, limit: Int) -> Bool {
    outstandingBytes + Self.cost(of: message) <= limit
  }

  /// Whether the peer may be sent a message while much waits for all peers: it has read everything
  /// so far, or the message is small.
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
    // Moving the rest down costs as much as the removals before it: O(1) per message.
    if firstIndex * 2 >= messages.count {
      messages.removeFirst(firstIndex)
      firstIndex = 0
    }
  }

  static func cost(of message: WireMessage) -> Int {
    message.byteCount + overheadBytes
  }
}

/// Counts bytes that wait to be sent; libzmq's threads subtract too.
final class ByteCount: Sendable {
  private let count = Atomic<Int>(0)
  /// The total that this count is part of.
  private let whole: ByteCount?

  init(partOf whole: ByteCount? = nil) { self.whole = whole }

  var value: Int { count.load(ordering: .relaxed) }

  func add(_ bytes: Int) {
    count.add(bytes, ordering: .relaxed)
    whole?.add(bytes)
  }

  func subtract(_ bytes: Int) {
    count.subtract(bytes, ordering: .relaxed)
    whole?.subtract(bytes)
  }
}
