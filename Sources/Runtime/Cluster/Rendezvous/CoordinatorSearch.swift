import Foundation
import Logging
import Protocol
import Transport

/// A node's search for its coordinator: before it joins, and when the coordinator has moved.
final class CoordinatorSearch: Sendable {
  /// The address to connect to first.
  let endpoint: Endpoint
  private let watch: CoordinatorFileWatch?
  private let logger: Logger

  /// Waits for the file with the address, if a file is to hold it, for the options' join timeout.
  ///
  /// - Throws: ``RoleEnding`` if the process ends without an address.
  init(_ options: NodeOptions, signals: SignalPipe, label: String) throws {
    logger = Logger(label: label)
    switch options.coordinator {
    case .endpoint(let endpoint):
      self.endpoint = endpoint
      watch = nil
    case .file(let path):
      Self.announce(options, logger)
      let watch = CoordinatorFileWatch(path: path)
      endpoint = try Self.wait(for: watch, of: path, options, signals, logger)
      self.watch = watch
    }
  }

  /// Says where the node looks for its coordinator, unless it has said so while it waited for a
  /// file. Called when nothing prevents it from joining.
  func announce(_ options: NodeOptions) {
    if watch == nil { Self.announce(options, logger) }
  }

  private static func announce(_ options: NodeOptions, _ logger: Logger) {
    logger.info("\(options.searchSentence)")
    ServiceManager.inherited.show(options.searchSentence)
  }

  private static func wait(
    for watch: CoordinatorFileWatch, of path: String, _ options: NodeOptions,
    _ signals: SignalPipe, _ logger: Logger
  ) throws -> Endpoint {
    let start = MonotonicClock.seconds
    var notices = WaitNotices()
    while true {
      if let endpoint = watch.takeChange() { return endpoint }
      if signals.next() != nil { throw RoleEnding(.finished("asked to stop")) }
      LifeSign.inherited.give()
      ServiceManager.inherited.live()
      let now = MonotonicClock.seconds
      guard now - start < options.joinTimeout else {
        throw RoleEnding(
          .transient(
            "Cannot join a run: the file '\(path)' has held no coordinator's address for "
              + "\(Int(options.joinTimeout)) s. Check that a coordinator is running with "
              + "--endpoint-file for this file."))
      }
      if notices.isDue(since: start, threshold: WaitNotices.first, at: now) {
        logger.info(
          """
          waiting for a coordinator's address in '\(path)', for \(Int(now - start)) s so far; \
          after \(Int(options.joinTimeout)) s this process ends with code 138
          """)
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }

  /// Connects to the address of a coordinator that was started elsewhere, if there is one. Called
  /// on the network thread with every tick.
  func follow<Event>(_ coordinator: PeerID, on loop: NetworkLoop<Event>) {
    guard let endpoint = watch?.takeChange() else { return }
    do {
      try loop.redirect(coordinator, to: endpoint)
      logger.info("the coordinator's address is \(endpoint) now; connecting there")
    } catch {
      logger.warning("cannot connect to the coordinator's new address: \(error)")
    }
  }
}

/// A role that ends before it has begun.
struct RoleEnding: Error {
  let outcome: RoleOutcome

  init(_ departure: Departure) { outcome = RoleOutcome(departure) }
}
