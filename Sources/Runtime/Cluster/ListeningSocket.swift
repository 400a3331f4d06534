import Foundation
import Logging
import Transport

/// A socket that listens, and whose file is made again when it is removed. Processes that are
/// started again find a node by that file; those that are connected need it no more.
package final class ListeningSocket<Event: Sendable> {
  package private(set) var listener: NetworkLoop<Event>.Listener
  private let keepsFolder: Bool
  private let logger: Logger
  private var checkedAt = -Double.infinity
  /// Whether the log says already that it cannot be made again.
  private var isGivenUp = false

  /// Begins to listen.
  ///
  /// - Parameters:
  ///   - keepsFolder: whether the folder of the socket is the run's own, to be made again when it
  ///     is removed.
  ///   - label: of the log.
  /// - Throws: `TransportError` as `NetworkLoop.bindRouter`.
  package init(
    _ endpoint: String, advertisedHost: String? = nil, maximumFrameBytes: Int = .max,
    keepsFolder: Bool = false, label: String, on loop: NetworkLoop<Event>
  ) throws {
    self.keepsFolder = keepsFolder
    logger = Logger(label: label)
    // A process that is started again may find that it was removed.
    if keepsFolder { try Self.makeFolder(of: Endpoint(endpoint)) }
    listener = try loop.bindRouter(
      endpoint, advertisedHost: advertisedHost, maximumFrameBytes: maximumFrameBytes)
  }

  /// Checks once a second whether the socket can be found, and makes it again if not.
  ///
  /// - Parameter now: seconds.
  package func tick(at now: Double, on loop: NetworkLoop<Event>) {
    guard now - checkedAt >= 1 else { return }
    checkedAt = now
    guard !loop.isFound(listener) else { return }
    do {
      if keepsFolder { try Self.makeFolder(of: listener.endpoint) }
      listener = try loop.listenAgain(insteadOf: listener)
      isGivenUp = false
      logger.warning(
        """
        the socket at \(listener.endpoint) was removed, perhaps by a cleaner of temporary files; \
        made again
        """)
    } catch {
      guard !isGivenUp else { return }
      isGivenUp = true
      logger.warning(
        """
        the socket at \(listener.endpoint) was removed, and a process that is started again cannot \
        connect; it is tried again: \(error)
        """)
    }
  }

  private static func makeFolder(of endpoint: Endpoint) throws {
    guard case .ipc(let path) = endpoint.kind else { return }
    try SocketFolder.makeAgain((path as NSString).deletingLastPathComponent)
  }
}
