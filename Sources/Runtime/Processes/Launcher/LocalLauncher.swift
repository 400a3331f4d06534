import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs the processes of a cluster on one machine: starts and restarts them, and waits until all
/// have ended.
///
/// The calling thread starts the children, waits, forwards signals and reaps; it is blocked until
/// the last child has ended. It must be one thread, because the kernel kills the children when the
/// thread that started them ends (see ``ChildProcess``); so they cannot outlive a launcher that is
/// killed. When ``run(_:signals:)`` throws, all started children have been killed.
package struct LocalLauncher: Sendable {
  /// The running program. This path of the kernel stays valid if a new build replaces the file.
  package static let ownExecutable = "/proc/self/exe"

  /// Where `NAME.log` of every child is written.
  package var logDirectory: String
  package var limits: Supervision.Limits
  package var policy: RestartPolicy

  package init(
    logDirectory: String, limits: Supervision.Limits = Supervision.Limits(),
    policy: RestartPolicy = .never
  ) {
    self.logDirectory = logDirectory
    self.limits = limits
    self.policy = policy
  }

  /// Starts all children in order, restarts those that die, and returns when all have ended.
  ///
  /// - Parameters:
  ///   - children: at least one; at most one leader; names unique.
  ///   - signals: the user's SIGINT and SIGTERM.
  ///   - announce: called on the calling thread when a child ended before the run, with what
  ///     follows. If there are too many notices, some are only counted.
  ///   - environment: inherited by the children; default is the launcher's own.
  /// - Throws: ``RuntimeError`` if a child cannot be started; the others have then been killed.
  package func run(
    _ children: [ChildSpecification], signals: SignalPipe,
    announce: (LaunchNotice) -> Void = { _ in },
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> LaunchReport {
    precondition(!children.isEmpty && Set(children.map(\.name)).count == children.count)
    var members: [SupervisedChild] = []
    do {
      for child in children {
        members.append(
          try SupervisedChild(child, logDirectory: logDirectory, environment: environment))
      }
    } catch {
      killAll(members)
      throw error
    }
    return supervise(members, signals: signals, announce: announce)
  }

  private func supervise(
    _ members: [SupervisedChild], signals: SignalPipe, announce: (LaunchNotice) -> Void
  ) -> LaunchReport {
    let leader = members.firstIndex { $0.specification.isLeader }
    let now = MonotonicClock.seconds
    var noticeLimit = NoticeLimit(at: now)
    var memoryKills = MemoryKills()
    var supervision = Supervision(
      roles: members.map(\.specification.role), leader: leader, limits: limits, policy: policy,
      at: now)
    func show(_ notice: LaunchNotice) {
      noticeLimit.admit(notice, at: MonotonicClock.seconds).forEach(announce)
    }
    while !supervision.isDone {
      wait(for: members, signals: signals, until: supervision.nextDeadline)
      let isMemoryShort = memoryKills.areRecent(at: MonotonicClock.seconds)
      var events: [Supervision.Event] = []
      while let signal = signals.next() { events.append(.signal(signal)) }
      for (index, member) in members.enumerated() {
        // Before the tick: life signs sent while the launcher itself was stopped must count.
        if member.hasGivenSign() { events.append(.alive(index: index)) }
        if let result = member.poll(isMemoryShort: isMemoryShort) {
          events.append(
            .ended(index: index, result.exitCode, isOutOfMemory: result.isOutOfMemory))
        }
      }
      events.append(.tick)
      while !events.isEmpty {
        for action in supervision.handle(events.removeFirst(), at: MonotonicClock.seconds) {
          switch action {
          case .signal(let index, let number): members[index].send(number)
          case .killHung(let index, let silence):
            show(.hangs(name: members[index].specification.name, silence: silence))
            members[index].send(SIGKILL)
          case .announceLingering(let index, let seconds):
            let name = members[index].specification.name
            show(.lingers(name: name, seconds: seconds, limit: limits.linger))
          case .start(let index):
            do {
              try members[index].restart()
            } catch {
              show(.notStarted(name: members[index].specification.name, reason: "\(error)"))
              events.append(.notStarted(index: index, ExitCode(describing: error)))
            }
          case .announce(let index, let consequence):
            guard let result = members[index].result else { break }
            show(LaunchNotice(consequence, of: result, policy: policy))
          }
        }
      }
    }
    return LaunchReport(
      children: members.map(\.lastResult), exitCode: supervision.exitCode,
      stopSignal: supervision.stopSignal, culprit: supervision.culprit?.index)
  }

  /// Blocks until a signal arrives, a child ends or the deadline is reached.
  private func wait(
    for members: [SupervisedChild], signals: SignalPipe, until deadline: Double?
  ) {
    let running = members.filter(\.isRunning)
    var descriptors = ([signals.descriptor] + running.map(\.descriptor)).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    // `poll` ignores negative descriptors: children without one are checked after a short timeout.
    let isPolling = running.contains { $0.descriptor < 0 }
    let longest = isPolling ? 0.05 : 1.0
    let remaining = deadline.map { max(0, $0 - MonotonicClock.seconds) } ?? longest
    let milliseconds = Int32((min(longest, remaining) * 1000).rounded(.up))
    // The result does not matter: the caller checks all children anyway.
    _ = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
  }

  private func killAll(_ members: [SupervisedChild]) {
    for member in members { member.send(SIGKILL) }
    // A child that waits for a disk ends when the kernel can end it.
    let deadline = MonotonicClock.seconds + limits.linger
    for member in members {
      while member.isRunning, member.poll() == nil, MonotonicClock.seconds < deadline {
        usleep(1_000)
      }
    }
  }
}
