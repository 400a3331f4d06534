internal import CZeroMQ
import Synchronization

/// The I/O threads and the sockets of one process.
///
/// Must be made after all child processes were started: a context does not survive `fork`.
package final class ZeroMQContext: @unchecked Sendable {  // libzmq contexts are thread-safe
  let pointer: UnsafeMutableRawPointer
  private let openSockets = Atomic<Int>(0)
  private let isTerminated = Atomic<Bool>(false)

  /// - Parameter ioThreads: one thread transfers about 1–2 GB/s.
  /// - Throws: ``TransportError`` when libzmq cannot start.
  package init(ioThreads: Int = 1) throws(TransportError) {
    guard let pointer = zmq_ctx_new() else {
      throw TransportError(Errno(number: zmq_errno()), attempt: "start ZeroMQ")
    }
    self.pointer = pointer
    do {
      _ = try valueOrErrno { zmq_ctx_set(pointer, ZMQ_IO_THREADS, CInt(clamping: ioThreads)) }
      // Otherwise a socket without a linger time can keep the process alive for ever.
      _ = try valueOrErrno { zmq_ctx_set(pointer, ZMQ_BLOCKY, 0) }
    } catch {
      throw TransportError(error, attempt: "set up ZeroMQ with \(ioThreads) I/O threads")
    }
  }

  // Sockets hold their context, so none is open here and this ends within their linger time.
  deinit { terminateOnce() }

  /// Stops the I/O threads, after the linger time of the sockets that were closed last.
  ///
  /// - Throws: ``TransportError`` when sockets are still open: libzmq would wait for them for ever.
  package func terminate() throws(TransportError) {
    let open = openSockets.load(ordering: .sequentiallyConsistent)
    guard open == 0 else {
      throw TransportError(
        .failed,
        "Cannot stop ZeroMQ: \(open) of its sockets are open; close them first.")
    }
    terminateOnce()
  }

  private func terminateOnce() {
    guard !isTerminated.exchange(true, ordering: .sequentiallyConsistent) else { return }
    _ = try? valueOrErrno { zmq_ctx_term(pointer) }
  }

  /// A new libzmq socket, counted until ``closeSocket(_:)``.
  func openSocket(_ type: CInt) throws(TransportError) -> UnsafeMutableRawPointer {
    guard !isTerminated.load(ordering: .sequentiallyConsistent) else {
      throw TransportError(.closed, "Cannot open a socket: its context has been terminated.")
    }
    guard let socket = zmq_socket(pointer, type) else {
      throw TransportError(Errno(number: zmq_errno()), attempt: "open a socket")
    }
    openSockets.add(1, ordering: .sequentiallyConsistent)
    return socket
  }

  func closeSocket(_ socket: UnsafeMutableRawPointer) {
    _ = try? valueOrErrno { zmq_close(socket) }
    openSockets.subtract(1, ordering: .sequentiallyConsistent)
  }
}

extension ZeroMQContext {
  /// Version of the library in use, such as `4.3.4`.
  package static var libraryVersion: String {
    var (major, minor, patch): (CInt, CInt, CInt) = (0, 0, 0)
    zmq_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }
}
