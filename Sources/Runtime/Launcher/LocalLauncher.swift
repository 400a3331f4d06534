import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs the processes of a cluster on one machine, starts again what dies, and sees them all to
/// their end.
///
/// The calling thread starts the children, waits, forwards signals and reaps; it is blocked until
/// the last child is gone. That it is one thread matters: the kernel kills the children when the
/// thread that started them ends (see ``ChildProcess``), so they cannot outlive a launcher that is
/// killed. When ``run(_:signals:)`` throws, everything that was started has been killed.
public struct LocalLauncher: Sendable {
  /// The program that is running now. The kernel's name for it stays right when the file is
  /// replaced by a new build meanwhile.
  public static let ownExecutable = "/proc/self/exe"

  /// Where `NAME.log` of every child is written.
  public var logDirectory: String
  public var limits: Supervision.Limits
  public var policy: RestartPolicy

  public init(
    logDirectory: String, limits: Supervision.Limits = Supervision.Limits(),
    policy: RestartPolicy = .never
  ) {
    self.logDirectory = logDirectory
    self.limits = limits
    self.policy = policy
  }

  /// Starts all children in order, starts again what dies, and returns when all have ended.
  ///
  /// - Parameters:
  ///   - children: at least one; at most one leader; names unique.
  ///   - signals: where a person's SIGINT and SIGTERM come from.
  ///   - announce: told at once, on the calling thread, of a child that ended before the run and
  ///     what follows from it. In a storm of deaths some are only counted.
  ///   - environment: what the children inherit; default is the launcher's own.
  /// - Throws: ``RuntimeError`` if a child cannot be started; the others have then been killed.
  public func run(
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
    func tell(_ notice: LaunchNotice) {
      noticeLimit.admit(notice, at: MonotonicClock.seconds).forEach(announce)
    }
    while !supervision.isDone {
      wait(for: members, signals: signals, until: supervision.nextDeadline)
      let isMemoryShort = memoryKills.areRecent(at: MonotonicClock.seconds)
      var events: [Supervision.Event] = []
      while let signal = signals.next() { events.append(.signal(signal)) }
      for (index, member) in members.enumerated() {
        // Before time is judged: what they did while we did not run counts for them.
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
            tell(.hangs(name: members[index].specification.name, silence: silence))
            members[index].send(SIGKILL)
          case .announceLingering(let index, let seconds):
            let name = members[index].specification.name
            tell(.lingers(name: name, seconds: seconds, limit: limits.linger))
          case .start(let index):
            do {
              try members[index].restart()
            } catch {
              tell(.notStarted(name: members[index].specification.name, reason: "\(error)"))
              events.append(.notStarted(index: index, ExitCode(describing: error)))
            }
          case .announce(let index, let consequence):
            guard let result = members[index].result else { break }
            tell(LaunchNotice(consequence, of: result, policy: policy))
          }
        }
      }
    }
    return LaunchReport(
      children: members.map(\.lastResult), exitCode: supervision.exitCode,
      stopSignal: supervision.stopSignal, culprit: supervision.culprit?.index)
  }

  /// Blocks until a signal comes, a child ends or the deadline is reached.
  private func wait(
    for members: [SupervisedChild], signals: SignalPipe, until deadline: Double?
  ) {
    let running = members.filter(\.isRunning)
    var descriptors = ([signals.descriptor] + running.map(\.descriptor)).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    // `poll` ignores negative descriptors: a child without one is looked after by the time limit.
    let isPolling = running.contains { $0.descriptor < 0 }
    let longest = isPolling ? 0.05 : 1.0
    let remaining = deadline.map { max(0, $0 - MonotonicClock.seconds) } ?? longest
    let milliseconds = Int32((min(longest, remaining) * 1000).rounded(.up))
    // Interrupted or not: the caller looks at everything anyway.
    _ = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
  }

  private func killAll(_ members: [SupervisedChild]) {
    for member in members { member.send(SIGKILL) }
    // One that waits for a disk is left to the kernel in the end.
    let deadline = MonotonicClock.seconds + limits.linger
    for member in members {
      while member.isRunning, member.poll() == nil, MonotonicClock.seconds < deadline {
        usleep(1_000)
      }
    }
  }
}
