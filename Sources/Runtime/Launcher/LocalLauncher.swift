import Foundation
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Runs the processes of a cluster on one machine and sees them all to their end.
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

  public init(logDirectory: String, limits: Supervision.Limits = Supervision.Limits()) {
    self.logDirectory = logDirectory
    self.limits = limits
  }

  /// Starts all children in order and returns when all have ended.
  ///
  /// - Parameters:
  ///   - children: at least one; at most one leader; names unique.
  ///   - signals: where a person's SIGINT and SIGTERM come from.
  ///   - announce: told at once, on the calling thread, of a child whose failure ends the run.
  ///   - environment: what the children inherit; default is the launcher's own.
  /// - Throws: ``RuntimeError`` if a child cannot be started; the others have then been killed.
  public func run(
    _ children: [ChildSpecification], signals: SignalPipe,
    announce: (ChildResult) -> Void = { _ in },
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws -> LaunchReport {
    precondition(!children.isEmpty && Set(children.map(\.name)).count == children.count)
    var processes: [ChildProcess] = []
    do {
      for child in children {
        let log = "\(logDirectory)/\(child.name).log"
        processes.append(try ChildProcess(child, logPath: log, environment: environment))
      }
    } catch {
      killAll(processes)
      throw error
    }
    return supervise(processes, signals: signals, announce: announce)
  }

  private func supervise(
    _ processes: [ChildProcess], signals: SignalPipe, announce: (ChildResult) -> Void
  ) -> LaunchReport {
    let leader = processes.firstIndex { $0.specification.isLeader }
    var supervision = Supervision(count: processes.count, leader: leader, limits: limits)
    while !supervision.isDone {
      wait(for: processes, signals: signals, until: supervision.nextDeadline)
      var events: [Supervision.Event] = []
      while let signal = signals.next() { events.append(.signal(signal)) }
      for (index, process) in processes.enumerated() where process.result == nil {
        if let result = process.poll() { events.append(.ended(index: index, result.exitCode)) }
      }
      for event in events + [.tick] {
        for action in supervision.handle(event, at: MonotonicClock.seconds) {
          switch action {
          case .signal(let index, let number): processes[index].send(number)
          case .announce(let index): processes[index].result.map(announce)
          }
        }
      }
    }
    return LaunchReport(
      children: processes.compactMap(\.result), exitCode: supervision.exitCode,
      stopSignal: supervision.stopSignal, culprit: supervision.culprit?.index)
  }

  /// Blocks until a signal comes, a child ends or the deadline is reached.
  private func wait(
    for processes: [ChildProcess], signals: SignalPipe, until deadline: Double?
  ) {
    let living = processes.filter { $0.result == nil }
    var descriptors = ([signals.descriptor] + living.map(\.descriptor)).map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    // `poll` ignores negative descriptors: a child without one is looked after by the time limit.
    let isPolling = living.contains { $0.descriptor < 0 }
    let longest = isPolling ? 0.05 : 1.0
    let remaining = deadline.map { max(0, $0 - MonotonicClock.seconds) } ?? longest
    let milliseconds = Int32((min(longest, remaining) * 1000).rounded(.up))
    // Interrupted or not: the caller looks at everything anyway.
    _ = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
  }

  private func killAll(_ processes: [ChildProcess]) {
    for process in processes { process.send(SIGKILL) }
    while processes.contains(where: { $0.poll() == nil }) { usleep(1_000) }
  }
}
