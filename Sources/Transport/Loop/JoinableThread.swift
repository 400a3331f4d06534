internal import CZeroMQ
import Glibc
import Synchronization

/// An operating system thread that can be waited for.
package final class JoinableThread: Sendable {
  private enum State {
    case running(pthread_t)
    case joined
  }

  /// The function that the thread runs, and the error that it ended with.
  private final class Work: Sendable {
    let body: @Sendable () throws -> Void
    let failure = Mutex<(any Error)?>(nil)

    init(_ body: @escaping @Sendable () throws -> Void) { self.body = body }
  }

  private let work: Work
  private let state: Mutex<State>

  package init(
    name: String, _ body: @escaping @Sendable () throws -> Void
  ) throws(TransportError) {
    let work = Work(body)
    self.work = work
    let argument = Unmanaged.passRetained(work)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
        JoinableThread.blockSignals()
        do {
          try work.body()
        } catch {
          work.failure.withLock { $0 = error }
        }
        return nil
      },
      argument.toOpaque())
    guard result == 0 else {
      argument.release()
      throw TransportError(Errno(number: result), attempt: "start the thread '\(name)'")
    }
    pthread_setname_np(thread, String(decoding: name.utf8.prefix(15), as: UTF8.self))
    state = Mutex(.running(thread))
  }

  deinit {
    state.withLock { state in
      if case .running(let thread) = state { pthread_detach(thread) }
    }
  }

  /// Waits until the thread has ended. A second call does not wait.
  ///
  /// - Throws: the error of the thread's function.
  package func join() throws {
    let thread: pthread_t? = state.withLock { state in
      defer { state = .joined }
      return if case .running(let thread) = state { thread } else { nil }
    }
    if let thread { pthread_join(thread, nil) }
    if let error = work.failure.withLock({ $0 }) { throw error }
  }

  /// Signals are handled by the main thread only.
  private static func blockSignals() {
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }
}
