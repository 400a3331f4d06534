import Foundation
import Runtime
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Real processes. Serialized: a process can have one `SignalPipe`.
@Suite(.serialized) struct LauncherTests {
  func shell(
    _ name: String, _ script: String, isLeader: Bool = false, environment: [String: String] = [:]
  ) -> ChildSpecification {
    ChildSpecification(
      name: name, executable: "/bin/sh", arguments: ["-c", script], environment: environment,
      isLeader: isLeader)
  }

  /// - Parameter grace: long if children leave by themselves, because the machine may be busy.
  private func launcher(_ folder: TemporaryFolder, grace: Double = 0.5) -> LocalLauncher {
    LocalLauncher(logDirectory: folder.path, limits: .init(grace: grace, stop: 5))
  }

  static func isAlive(_ process: Int32) -> Bool { kill(process, 0) == 0 }

  /// Waits until the process has ended; false if it is still running after a minute.
  static func isGone(_ process: Int32) -> Bool {
    for _ in 0..<6000 {
      if !isAlive(process) { return true }
      usleep(10_000)
    }
    return false
  }

  @Test("children run with arguments and environment, and their output is in their logs")
  func output() throws {
    let folder = try TemporaryFolder()
    let report = try launcher(folder, grace: 10).run(
      [
        shell("coordinator", "echo out; echo err >&2", isLeader: true),
        shell(
          "worker-0", "echo \"threads $OPENBLAS_NUM_THREADS $INHERITED\"",
          environment: ["OPENBLAS_NUM_THREADS": "1"]),
      ], signals: SignalPipe(),
      environment: ["OPENBLAS_NUM_THREADS": "8", "INHERITED": "yes"])
    #expect(report.exitCode == .success)
    #expect(report.culprit == nil)
    #expect(try folder.text("coordinator.log") == "out\nerr\n")
    #expect(try folder.text("worker-0.log") == "threads 1 yes\n")
  }

  @Test("the report has CPU seconds, peak memory and elapsed time of each child")
  func usage() throws {
    let folder = try TemporaryFolder()
    let report = try launcher(folder).run(
      [
        shell("busy", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"),
        shell("idle", "sleep 0.2"),
      ], signals: SignalPipe())
    let (busy, idle) = (report.children[0], report.children[1])
    #expect(busy.cpuSeconds > 0.02)
    #expect(busy.cpuSeconds > idle.cpuSeconds)
    #expect(idle.elapsedSeconds >= 0.2)
    #expect(busy.peakResidentBytes > 100_000)
    let table = report.table().split(separator: "\n")
    #expect(table.count == 3)
    #expect(table[1].hasPrefix("busy"))
    #expect(table[1].contains("exit code 0"))
  }

  @Test("a failure ends the others, and the message has the child, its log and its last lines")
  func failure() throws {
    let folder = try TemporaryFolder()
    let ready = "\(folder.path)/ready"
    let report = try launcher(folder).run(
      [
        shell("coordinator", "exec sleep 1000", isLeader: true),
        shell("stubborn", "trap '' TERM; touch \(ready); while :; do sleep 0.05; done"),
        shell(
          "worker-0",
          "while [ ! -e \(ready) ]; do sleep 0.02; done; echo cannot read the data; exit 65"),
      ], signals: SignalPipe())
    #expect(report.exitCode == .dataMalformed)
    #expect(
      report.children.map(\.ending) == [.signalled(SIGTERM), .signalled(SIGKILL), .exited(65)])
    let message = try #require(report.failureMessage())
    #expect(message.contains("worker-0 ended with exit code 65"))
    #expect(message.contains("\(folder.path)/worker-0.log"))
    #expect(message.contains("cannot read the data"))
  }

  @Test("a killed child is announced at once, and the leader ends the run, not the launcher")
  func lostChild() throws {
    let folder = try TemporaryFolder()
    let pid = "\(folder.path)/pid"
    var announced: [String] = []
    let report = try launcher(folder, grace: 10).run(
      [
        // Until the launcher has noticed that worker-1 is gone.
        shell(
          "coordinator",
          """
          while [ ! -s \(pid) ]; do sleep 0.02; done
          while kill -0 "$(cat \(pid))" 2> /dev/null; do sleep 0.02; done
          touch \(folder.path)/over; exit 138
          """, isLeader: true),
        shell(
          "worker-0",
          "trap 'echo disturbed' TERM; while [ ! -e \(folder.path)/over ]; do sleep 0.02; done"),
        shell("worker-1", "echo $$ > \(pid); kill -9 $$"),
      ], signals: SignalPipe(), announce: { announced.append($0.sentence) })
    #expect(announced == ["worker-1 was killed by signal 9 (KILL); ending the run"])
    #expect(report.exitCode == .transient)
    #expect(report.children.map(\.ending) == [.exited(138), .exited(0), .signalled(SIGKILL)])
    #expect(try folder.text("worker-0.log").isEmpty)
    let message = try #require(report.failureMessage())
    #expect(message.contains("because worker-1 was killed by signal 9 (KILL)"))
  }

  @Test("a bus error is explained by its usual cause, a file")
  func busError() throws {
    let folder = try TemporaryFolder()
    let report = try launcher(folder).run(
      [shell("worker-0", "kill -BUS $$")], signals: SignalPipe())
    let message = try #require(report.failureMessage())
    #expect(message.contains("signal 7 (BUS): a memory-mapped file shrank or its disk failed"))
  }

  @Test("a child's own children do not outlive it")
  func grandchildren() throws {
    let folder = try TemporaryFolder()
    _ = try launcher(folder).run(
      [shell("parent", "sleep 1000 & echo $!")], signals: SignalPipe())
    let grandchild = try #require(
      Int32(try folder.text("parent.log").trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(Self.isGone(grandchild))
  }

  @Test("a program that cannot be started is named with the reason, and no child is left running")
  func cannotStart() throws {
    let folder = try TemporaryFolder()
    let pidFile = "\(folder.path)/pid"
    let missing = ChildSpecification(
      name: "worker-0", executable: "/nonexistent/mrdib", arguments: [])
    #expect {
      try launcher(folder).run(
        [shell("coordinator", "echo $$ > \(pidFile); exec sleep 1000"), missing],
        signals: SignalPipe())
    } throws: { error in
      (error as? RuntimeError)?.exitCode == .system && "\(error)".contains("worker-0")
        && "\(error)".contains("/nonexistent/mrdib") && "\(error)".contains("No such file")
    }
    // It may have been killed before it wrote its id; then there is nothing to check.
    if let text = try? folder.text("pid"), let process = Int32(text.dropLast()) {
      #expect(Self.isGone(process))
    }
  }

  @Test("there can be one signal pipe at a time, and another one after it")
  func onePipe() throws {
    do {
      let pipe = try SignalPipe(signals: [SIGUSR2])
      #expect(throws: RuntimeError.self) { try SignalPipe(signals: [SIGUSR2]) }
      #expect(pipe.next() == nil)
      kill(getpid(), SIGUSR2)
      var descriptor = pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)
      while poll(&descriptor, 1, 10_000) < 0, errno == EINTR {}
      #expect(pipe.next() == SIGUSR2)
      #expect(pipe.next() == nil)
    }
    _ = try SignalPipe(signals: [SIGUSR2])
  }

  @Test("a launcher that is killed takes its children with it")
  func launcherKilled() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      Thread.detachNewThread {
        for name in ["a", "b"] {
          while !FileManager.default.fileExists(atPath: "\(path)/\(name).pid") { usleep(5_000) }
        }
        kill(getpid(), SIGKILL)
      }
      let children = ["a", "b"].map { name in
        ChildSpecification(
          name: name, executable: "/bin/sh",
          arguments: [
            "-c",
            "trap '' TERM INT HUP; echo $$ > \(path)/t-\(name);"
              + "mv \(path)/t-\(name) \(path)/\(name).pid; exec sleep 1000",
          ])
      }
      _ = try LocalLauncher(logDirectory: path).run(children, signals: SignalPipe())
    }
    for name in ["a", "b"] {
      let process = try #require(Int32(try folder.text("\(name).pid").dropLast()))
      let isGone = Self.isGone(process)
      #expect(isGone, "\(name) is an orphan")
      if !isGone { kill(process, SIGKILL) }
    }
  }

  @Test("a signal is forwarded to the leader only, all may leave, and the exit code has the signal")
  func signalForwarded() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .exitCode(143)) { [path = path as String] in
      Thread.detachNewThread {
        for name in ["leader", "other"] {
          while !FileManager.default.fileExists(atPath: "\(path)/\(name).up") { usleep(5_000) }
        }
        kill(getpid(), SIGTERM)
      }
      let leader = ChildSpecification(
        name: "leader", executable: "/bin/sh",
        arguments: [
          "-c",
          "trap 'echo asked; touch \(path)/over; exit 143' TERM; touch \(path)/leader.up;"
            + "while :; do sleep 0.02; done",
        ], isLeader: true)
      let other = ChildSpecification(
        name: "other", executable: "/bin/sh",
        arguments: [
          "-c",
          "trap 'echo disturbed' TERM INT; touch \(path)/other.up;"
            + "while [ ! -e \(path)/over ]; do sleep 0.02; done; echo left",
        ])
      let report = try LocalLauncher(logDirectory: path).run(
        [leader, other], signals: SignalPipe())
      exit(report.exitCode.rawValue)
    }
    // The shell may mention that its `sleep` was terminated with it.
    #expect(try folder.text("leader.log").hasSuffix("asked\n"))
    #expect(try folder.text("other.log") == "left\n")
  }

  @Test("a second signal kills children that do not leave")
  func secondSignal() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .exitCode(130)) { [path = path as String] in
      Thread.detachNewThread {
        while !FileManager.default.fileExists(atPath: "\(path)/up") { usleep(5_000) }
        kill(getpid(), SIGINT)
        while !FileManager.default.fileExists(atPath: "\(path)/asked") { usleep(5_000) }
        // Earlier it would count as the same signal.
        usleep(600_000)
        kill(getpid(), SIGINT)
      }
      let child = ChildSpecification(
        name: "stubborn", executable: "/bin/sh",
        arguments: [
          "-c",
          "trap 'touch \(path)/asked' INT; touch \(path)/up; while :; do sleep 0.02; done",
        ])
      let report = try LocalLauncher(logDirectory: path).run([child], signals: SignalPipe())
      guard report.children.first?.ending == .signalled(SIGKILL) else { exit(1) }
      exit(report.exitCode.rawValue)
    }
  }
}
