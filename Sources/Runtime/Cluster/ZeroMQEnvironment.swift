import Logging
import Nodes
import Protocol
import Transport

/// The environment of a node whose messages go through the sockets of a loop: what all roles have
/// in common.
protocol ZeroMQEnvironment: NodeEnvironment where Peer == PeerID, Message == WireMessage {
  associatedtype Event: Sendable
  var loop: NetworkLoop<Event> { get }
  var logs: NodeLogs { get }
}

/// The logs of a node.
struct NodeLogs {
  let logger: Logger
  /// For warnings that other processes can cause without limit.
  let frequent: RateLimitedLog
  /// For messages that could not be sent: a peer that reads nothing causes many.
  let unsent: RateLimitedLog

  init(label: String) {
    logger = Logger(label: label)
    frequent = RateLimitedLog(label: label)
    unsent = RateLimitedLog(label: label)
  }

  func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String) {
    switch level {
    case .info: logger.info("\(line())")
    case .warning: logger.warning("\(line())")
    case .frequentWarning: frequent.warning(line())
    }
  }
}

extension ZeroMQEnvironment {
  var now: Double { MonotonicClock.seconds }

  func log(_ level: NodeLogLevel, _ line: @autoclosure () -> String) { logs.log(level, line()) }

  func recordMalformedMessage(_ problem: String) { loop.recordMalformedMessage(problem) }

  /// - Returns: why the message could not be sent, which is also logged; nil if it was sent.
  @discardableResult
  func send(_ message: WireMessage, to peer: PeerID) -> TransportError? {
    do {
      try loop.send(message, to: peer)
      return nil
    } catch {
      logs.unsent.warning("could not send: \(error)")
      return error
    }
  }
}

extension ZeroMQEnvironment where Self: ConnectingEnvironment {
  func connect(to endpoint: String) throws -> PeerID { try loop.connectDealer(endpoint) }

  func close(_ peer: PeerID) { loop.close(peer.connection) }

  func send(_ request: DataRequest, to peer: PeerID) { send(request.encoded(), to: peer) }

  func isPassingShortage(_ error: any Error) -> Bool { TransientShortage.isCause(of: error) }
}

/// The environment of a server or a worker.
protocol ZeroMQMemberEnvironment: ZeroMQEnvironment, MemberEnvironment {
  var coordinator: PeerID { get }
  var outcome: OutcomeBox { get }
}

extension ZeroMQMemberEnvironment {
  func sendToCoordinator(_ message: NodeMessage) { send(message.encoded(), to: coordinator) }

  func usage() -> ProcessUsage { .current() }

  func end(_ result: RoleOutcome) {
    logs.logger.info("leaving: \(result.message)")
    outcome.set(result)
    loop.stop()
  }
}
