internal import Glibc

extension NetworkLoop {
  /// Whether others can still find the socket: its file may be removed, by a cleaner of temporary
  /// files for instance. True for sockets that have none.
  public func isFound(_ listener: Listener) -> Bool {
    guard case .ipc(let path) = listener.endpoint.kind else { return true }
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
  }

  /// Listens once more where the file of the socket is gone. Peers that are connected stay so.
  ///
  /// - Throws: ``TransportError`` as ``bindRouter(_:advertisedHost:)``.
  public func listenAgain(insteadOf listener: Listener) throws(TransportError) -> Listener {
    if case .ipc(let path) = listener.endpoint.kind { EndpointLock.giveUp(path: path) }
    let former = connections.first { $0.id == listener.connection }
    return try bindRouter(
      "\(listener.endpoint)", maximumFrameBytes: former?.socket.options.maximumFrameBytes ?? .max)
  }
}
