import Foundation
import Logging
import Transport

/// A listening socket whose file is created again when it was removed. Restarted processes find a
/// node by that file; processes that are connected do not need it.
package final class ListeningSocket<Event: Sendable> {
  package private(set) var listener: NetworkLoop<Event>.Listener
  private let keepsFolder: Bool
  private let logger: Logger
  private var checkedAt = -Double.infinity
  /// Whether it was logged already that it cannot be created again.
  private var hasWarned = false

  /// Begins to listen.
  ///
  /// - Parameters:
  ///   - keepsFolder: whether the folder of the socket belongs to this run and is created again
  ///     when it was removed.
  ///   - label: of the log.
  /// - Throws: `TransportError` as `NetworkLoop.bindRouter`.
  package init(
    _ endpoint: String, advertisedHost: String? = nil, maximumFrameBytes: Int = .max,
    keepsFolder: Bool = false, label: String, on loop: NetworkLoop<Event>
  ) throws {
    self.keepsFolder = keepsFolder
    logger = Logger(label: label)
    // A restarted process may find its folder removed.
    if keepsFolder { try Self.makeFolder(of: Endpoint(endpoint)) }
    listener = try loop.bindRouter(
      endpoint, advertisedHost: advertisedHost, maximumFrameBytes: maximumFrameBytes)
  }

  /// Checks once a second whether the socket file exists, and listens again if not.
  ///
  /// - Parameter now: seconds.
  package func tick(at now: Double, on loop: NetworkLoop<Event>) {
    guard now - checkedAt >= 1 else { return }
    checkedAt = now
    guard !loop.isFound(listener) else { return }
    do {
      if keepsFolder { try Self.makeFolder(of: listener.endpoint) }
      listener = try loop.listenAgain(insteadOf: listener)
      hasWarned = false
      logger.warning(
        """
        the socket at \(listener.endpoint) was removed, perhaps by a cleaner of temporary files; \
        made again
        """)
    } catch {
      guard !hasWarned else { return }
      hasWarned = true
      logger.warning(
        """
        the socket at \(listener.endpoint) was removed, so restarted processes cannot connect; \
        retrying: \(error)
        """)
    }
  }

  private static func makeFolder(of endpoint: Endpoint) throws {
    guard case .ipc(let path) = endpoint.kind else { return }
    try SocketFolder.makeAgain((path as NSString).deletingLastPathComponent)
  }
}
