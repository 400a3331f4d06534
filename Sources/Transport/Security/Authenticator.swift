internal import CZeroMQ

/// Decides whether a peer may connect after it has proved that it owns its key: the server side of
/// ZAP (ZeroMQ RFC 27).
///
/// libzmq's I/O thread sends one request per connection over an in-process socket, and the
/// connection waits for the answer. There is one authenticator per context, because libzmq uses one
/// fixed address.
final class Authenticator {
  /// The ZAP domain in libzmq's requests.
  static let domain = "mrdib"
  private static let address = "inproc://zeromq.zap.01"

  struct Refusal {
    let key: CurvePublicKey
    let address: String
  }

  private static let refreshInterval = Duration.seconds(1)

  private var allowed: [CurvePublicKey: String]
  private let allowedNow: @Sendable () -> [CurvePublicKey: String]?
  private var refreshedAt = MonotonicClock.now
  private let socket: InternalSocket

  init(
    _ listening: CurveSecurity.Listening, context: ZeroMQContext
  ) throws(TransportError) {
    allowed = listening.allowed
    allowedNow = listening.allowedNow
    socket = try InternalSocket(ZMQ_REP, context: context)
    do {
      try socket.bind(Self.address)
    } catch {
      guard error.code == .addressInUse else { throw error }
      throw TransportError(
        .addressInUse,
        "Cannot check the keys of peers: another loop of this context already does; give each loop"
          + " that listens with keys a context of its own.")
    }
  }

  /// The libzmq socket, for polling; nil once closed.
  var pointer: UnsafeMutableRawPointer? { socket.pointer }

  func close() { socket.close() }

  /// Answers libzmq's pending requests.
  ///
  /// - Returns: the keys that were refused.
  func answer(atMost count: Int) throws(TransportError) -> [Refusal] {
    var refusals: [Refusal] = []
    for _ in 0..<count {
      guard let question = try socket.receive() else { break }
      refresh()
      let (name, refusal) = judge(question)
      if let refusal { refusals.append(refusal) }
      let id = question.count > 1 ? question[1] : []
      try socket.send(
        [
          Array("1.0".utf8), id, Array((name == nil ? "400" : "200").utf8),
          Array((name == nil ? "key not allowed" : "OK").utf8), Array((name ?? "").utf8), [],
        ])
    }
    return refusals
  }

  /// Reads the list of allowed keys again, so that changes apply to the next connection.
  private func refresh() {
    let now = MonotonicClock.now
    guard now - refreshedAt >= Self.refreshInterval else { return }
    refreshedAt = now
    if let list = allowedNow() { allowed = list }
  }

  /// The frames are version, id, domain, peer's address, routing id, mechanism, public key.
  private func judge(_ question: [[UInt8]]) -> (name: String?, refusal: Refusal?) {
    guard question.count == 7, question[0] == Array("1.0".utf8),
      question[2] == Array(Self.domain.utf8), question[5] == Array("CURVE".utf8),
      question[6].count == Z85.keyBytes
    else { return (nil, nil) }
    let key = CurvePublicKey(bytes: question[6])
    if let name = allowed[key] { return (name, nil) }
    return (nil, Refusal(key: key, address: String(decoding: question[3], as: UTF8.self)))
  }
}
