/// A loop that runs on its own thread, as seen by other threads.
///
/// It is a thread and not a task because libzmq's sockets may not move between threads.
package final class NetworkThread<Event: Sendable>: Sendable {
  private let mailbox: Mailbox<Event>
  private let thread: JoinableThread

  /// Starts a loop.
  ///
  /// - Parameters:
  ///   - name: of the thread; at most 15 bytes of it are kept.
  ///   - makeHandler: makes the handler, on the new thread. Its errors and those of
  ///     ``NetworkHandler/started(on:)`` are thrown by ``join()``.
  /// - Throws: ``TransportError`` when the operating system refuses a thread or event descriptor.
  package init(
    name: String, context: ZeroMQContext, settings: NetworkLoopSettings = NetworkLoopSettings(),
    makeHandler: @escaping @Sendable () throws -> any NetworkHandler<Event>
  ) throws(TransportError) {
    let mailbox = try Mailbox<Event>(capacity: settings.mailboxCapacity)
    self.mailbox = mailbox
    thread = try JoinableThread(name: name) {
      defer { mailbox.close() }
      let loop = NetworkLoop<Event>(context: context, settings: settings, mailbox: mailbox)
      try loop.run(makeHandler())
    }
  }

  /// Passes an event to the loop. Never waits. See ``Mailbox/post(_:)``.
  package func post(_ event: Event) throws(TransportError) { try mailbox.post(event) }

  /// Ends the loop after the events that are queued.
  package func stop() { mailbox.close() }

  /// Waits until the loop has ended.
  ///
  /// - Throws: the error that ended it, if it was not ended by ``stop()`` or by the handler.
  package func join() throws { try thread.join() }
}
