import Coordinator
import Foundation
import Logging
import Protocol
import Transport

/// The first part of a coordinator's life where its run directory has no records, and servers may
/// have copies of them: asks every server what is on its disk.
///
/// Blocks its thread until all servers have answered.
final class RecordsSearch: NetworkHandler {
  typealias Event = Never

  private let listen: String
  private let advertisedHost: String?
  private let keepsSocketFolder: Bool
  private let folder: String
  private let serverCount: Int
  private let timeout: Double
  private let signals: SignalPipe
  private let listening: (NetworkLoop<Never>.Listener) throws -> Void
  private var socket: ListeningSocket<Never>?
  private var reports: [PeerID: DiskReport] = [:]
  private var askedAt: [PeerID: Double] = [:]
  private let since = MonotonicClock.seconds
  private var notedAt = MonotonicClock.seconds
  private let logger = Logger(label: "mrdib.coordinator")
  /// Why the search ended without the answers of all servers.
  private(set) var failure: RuntimeError?

  /// Seconds after which a question is repeated.
  private static let retryInterval = 2.0
  /// Seconds between two lines about what is missing.
  private static let noteInterval = 10.0

  /// - Parameters:
  ///   - folder: of the checkpoints of all runs, by the settings.
  ///   - timeout: seconds until the search fails.
  ///   - listening: called once nodes can connect.
  init(
    listen: String, advertisedHost: String?, keepsSocketFolder: Bool, folder: String,
    serverCount: Int, timeout: Double, signals: SignalPipe,
    listening: @escaping (NetworkLoop<Never>.Listener) throws -> Void
  ) {
    self.listen = listen
    self.advertisedHost = advertisedHost
    self.keepsSocketFolder = keepsSocketFolder
    self.folder = folder
    self.serverCount = serverCount
    self.timeout = timeout
    self.signals = signals
    self.listening = listening
  }

  /// The answers of all servers.
  ///
  /// - Throws: ``RuntimeError`` if not all have answered in time, or a signal came.
  func run(_ context: ZeroMQContext, _ settings: NetworkLoopSettings) throws -> [DiskReport] {
    try NetworkLoop<Never>(context: context, settings: settings).run(self)
    if let failure { throw failure }
    return Array(reports.values)
  }

  func started(on loop: NetworkLoop<Never>) throws {
    let socket = try ListeningSocket(
      listen, advertisedHost: advertisedHost, maximumFrameBytes: WireLimits.controlFrameBytes,
      keepsFolder: keepsSocketFolder, label: "mrdib.coordinator", on: loop)
    self.socket = socket
    try listening(socket.listener)
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Never>) {
    guard let message = try? NodeMessage(decoding: message) else { return }
    if case .inspected(let report) = message {
      reports[peer] = report
      if isComplete { loop.stop() }
      return
    }
    if case .hello(let hello) = message, hello.role == .worker { return }
    ask(peer, on: loop)
  }

  private var isComplete: Bool { Set(reports.values.map(\.dataEndpoint)).count >= serverCount }

  /// Workers ignore the question.
  private func ask(_ peer: PeerID, on loop: NetworkLoop<Never>) {
    let now = MonotonicClock.seconds
    guard reports[peer] == nil, now - (askedAt[peer] ?? -.infinity) >= Self.retryInterval else {
      return
    }
    askedAt[peer] = now
    let question = CoordinatorEnvelope(term: 0, message: .inspect(DiskQuestion(folder: folder)))
    // What cannot be sent is asked again.
    try? loop.send(question.encoded(), to: peer)
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Never>) {
    reports[peer] = nil
    askedAt[peer] = nil
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Never>) {
    let now = MonotonicClock.seconds
    socket?.tick(at: now, on: loop)
    if let signal = signals.next() {
      failure = RuntimeError(
        exitCode: .signal(signal),
        message: "Stopped before the run was found: \(ExitCode.reason(ofSignal: signal)).")
      return loop.stop()
    }
    if now - since > timeout {
      failure = RuntimeError(
        exitCode: .transient,
        message: "Cannot look for copies of the run's records: \(reports.count) of "
          + "\(serverCount) servers have joined after \(Int(timeout)) s; start the others with "
          + "this coordinator's address.")
      return loop.stop()
    }
    if now - notedAt > Self.noteInterval {
      notedAt = now
      logger.info(
        """
        waiting for servers to say which records they hold: \(reports.count) of \(serverCount) have
        """)
    }
  }

  func posted(_ event: Never, on loop: NetworkLoop<Never>) {}
}
