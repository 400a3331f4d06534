import Foundation
import Runtime
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Real processes that die and are restarted. In one suite with the others: a process can have one
/// `SignalPipe`.
extension LauncherTests {
  /// - Parameter grace: long if children leave by themselves, because the machine may be busy.
  private func restarting(
    _ folder: TemporaryFolder, limit: Int = 10, firstDelay: Double = 0.02, grace: Double = 0.5
  ) -> LocalLauncher {
    LocalLauncher(
      logDirectory: folder.path, limits: .init(grace: grace, stop: 5, settle: 0.2),
      policy: RestartPolicy(limit: limit, firstDelay: firstDelay))
  }

  /// A leader that ends with success when the file is there.
  private func leader(until file: String) -> ChildSpecification {
    shell("coordinator", "while [ ! -e \(file) ]; do sleep 0.02; done", isLeader: true)
  }

  @Test("a killed child is restarted with the same log, until the leader has ended")
  func comesBack() throws {
    let folder = try TemporaryFolder()
    let over = "\(folder.path)/over"
    var notices: [String] = []
    let report = try restarting(folder, grace: 30).run(
      [
        leader(until: over),
        shell(
          "worker-0",
          "echo life $THREADS; [ $(grep -c life \(folder.path)/worker-0.log) -lt 4 ] && kill -9 $$;"
            + "touch \(over)", environment: ["THREADS": "1"]),
      ], signals: SignalPipe(), announce: { notices.append($0.sentence) })
    #expect(report.exitCode == .success)
    #expect(report.culprit == nil)
    #expect(report.children.map(\.restarts) == [0, 3])
    #expect(report.children[1].ending == .exited(0))
    #expect(try folder.text("worker-0.log") == String(repeating: "life 1\n", count: 4))
    #expect(
      notices
        == [("0.02", 1), ("0.04", 2), ("0.08", 3)].map {
          "worker-0 was killed by signal 9 (KILL); restarting it in \($0) s (restart \($1))"
        })
    let row = try #require(report.table().split(separator: "\n").last)
    #expect(row.split(separator: " ").dropFirst(4).first == "3", "\(row)")
  }

  @Test("a hundred deaths of six processes: all are restarted and counted, few notices are shown")
  func hundredDeaths() throws {
    let folder = try TemporaryFolder()
    var launcher = restarting(folder, limit: 50, grace: 30)
    launcher.policy.longestDelay = 0.02
    let over = "until [ $(cat \(folder.path)/worker-*.log | wc -l) -ge 126 ]; do sleep 0.05; done"
    let workers = (0..<6).map { rank in
      ChildSpecification(
        name: "worker-\(rank)", role: "worker", executable: "/bin/sh",
        arguments: [
          "-c",
          "echo life; [ $(wc -l < \(folder.path)/worker-\(rank).log) -le 20 ] && kill -9 $$; \(over)",
        ])
    }
    var notices: [LaunchNotice] = []
    let report = try launcher.run(
      [shell("coordinator", over, isLeader: true)] + workers, signals: SignalPipe(),
      announce: { notices.append($0) })
    #expect(report.exitCode == .success)
    #expect(report.children.map(\.restarts) == [0] + Array(repeating: 20, count: 6))
    // 20 at once, then one a second with the number of those before it.
    let seconds = report.children[0].elapsedSeconds
    #expect(
      notices.count < 120 && Double(notices.count) <= 20 + 2 * (seconds + 2), "\(notices.count)")
  }

  @Test("the report adds up the usage of all restarts of a child")
  func usageOfAllLives() throws {
    let folder = try TemporaryFolder()
    let over = "\(folder.path)/over"
    let report = try restarting(folder, firstDelay: 3, grace: 30).run(
      [
        leader(until: over),
        shell(
          "worker-0",
          "echo life; [ $(grep -c life \(folder.path)/worker-0.log) -gt 1 ] && touch \(over) &&"
            + "exit; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; kill -9 $$"),
      ], signals: SignalPipe())
    let worker = report.children[1]
    #expect(worker.restarts == 1)
    #expect(worker.cpuSeconds > 0.02)
    // The delay does not count.
    #expect(worker.elapsedSeconds < report.children[0].elapsedSeconds - 1)
  }

  @Test("a leader that dies is restarted with the arguments for a restart")
  func leaderRestarts() throws {
    let folder = try TemporaryFolder()
    var first = shell("coordinator", "echo first; kill -9 $$", isLeader: true)
    first.restartArguments = ["-c", "echo again; touch \(folder.path)/over"]
    let report = try restarting(folder, grace: 10).run(
      [
        first,
        shell(
          "worker-0",
          "trap 'echo disturbed' TERM; while [ ! -e \(folder.path)/over ]; do sleep 0.02; done"),
      ], signals: SignalPipe())
    #expect(report.exitCode == .success)
    #expect(report.children.map(\.restarts) == [1, 0])
    #expect(try folder.text("coordinator.log") == "first\nagain\n")
    #expect(try folder.text("worker-0.log").isEmpty)
  }

  @Test(
    "an illegal instruction or a trap at every start: the second one ends the run permanently",
    arguments: [
      (signal: "ILL", code: ExitCode.software, words: "signal 4 (ILL): an internal error, or an"),
      ("TRAP", .software, "signal 5 (TRAP): an internal error"),
      ("SYS", .system, "signal 31 (SYS): a system call that the container or its sandbox forbids"),
    ])
  func traps(signal: String, code: ExitCode, words: String) throws {
    let folder = try TemporaryFolder()
    var notices: [String] = []
    let report = try restarting(folder).run(
      [
        shell("coordinator", "exec sleep 1000", isLeader: true),
        shell("worker-0", "echo life; kill -\(signal) $$; sleep 1000"),
      ], signals: SignalPipe(), announce: { notices.append($0.sentence) })
    #expect(report.exitCode == code)
    #expect(report.children[1].restarts == 1)
    #expect(try folder.text("worker-0.log") == "life\nlife\n")
    #expect(notices.last?.contains("worker-0 was killed by \(words)") == true, "\(notices)")
    let end = "a restart would fail in the same way, so the run ends"
    #expect(notices.last?.hasSuffix(end) == true)
    #expect(report.failureMessage()?.contains("after 1 restart; log") == true)
  }

  @Test("a process whose log cannot be written any more is not restarted")
  func logGone() throws {
    let folder = try TemporaryFolder()
    let logs = folder.path("logs")
    try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
    let launcher = LocalLauncher(
      logDirectory: logs, limits: .init(grace: 0.5, stop: 5, settle: 0.2),
      policy: RestartPolicy(limit: 50, firstDelay: 0.02))
    var notices: [String] = []
    let report = try launcher.run(
      [
        shell("coordinator", "exec sleep 1000", isLeader: true),
        shell("worker-0", "rm -r \(logs); kill -9 $$"),
      ], signals: SignalPipe(), announce: { notices.append($0.sentence) })
    #expect(report.exitCode == .cannotCreate)
    #expect(
      notices.contains { $0.contains("worker-0 could not be restarted: Cannot write the log") })
  }

  @Test("a process is started with a higher nice value than the launcher's")
  func nice() throws {
    let folder = try TemporaryFolder()
    var child = shell("worker-0", "nice")
    child.nice = 3
    _ = try restarting(folder).run([child], signals: SignalPipe())
    let own = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0)
    #expect(try folder.text("worker-0.log") == "\(own + 3)\n")
  }

  @Test("a crash loop ends the run with 138, and the message has the name and the count")
  func crashLoop() throws {
    let folder = try TemporaryFolder()
    var notices: [String] = []
    let report = try restarting(folder, limit: 3).run(
      [
        leader(until: "/nonexistent"),
        shell("worker-0", "echo no coordinator; exit 138"),
      ], signals: SignalPipe(), announce: { notices.append($0.sentence) })
    #expect(report.exitCode == .transient)
    #expect(report.children[1].restarts == 3)
    #expect(notices.count == 4)
    #expect(
      notices.last == "worker-0 ended with exit code 138 and was already restarted 3 times within "
        + "600 s; ending the run")
    let message = try #require(report.failureMessage())
    #expect(message.contains("because worker-0 ended with exit code 138, after 3 restarts"))
    #expect(message.contains("no coordinator"))
  }

  @Test("a permanent failure after restarts ends the run with its code")
  func failsAfterRestart() throws {
    let folder = try TemporaryFolder()
    var worker = shell("worker-0", "kill -9 $$")
    worker.restartArguments = ["-c", "exit 65"]
    let report = try restarting(folder).run(
      [leader(until: "/nonexistent"), worker], signals: SignalPipe())
    #expect(report.exitCode == .dataMalformed)
    #expect(report.children.map(\.ending) == [.signalled(SIGTERM), .exited(65)])
  }

  @Test("a program that is missing at a restart: each attempt is reported, then the run ends")
  func cannotRestart() throws {
    let folder = try TemporaryFolder()
    let program = "\(folder.path)/program"
    try FileManager.default.createSymbolicLink(
      atPath: program, withDestinationPath: "/bin/sh")
    let worker = ChildSpecification(
      name: "worker-0", executable: program, arguments: ["-c", "rm \(program); kill -9 $$"])
    var notices: [String] = []
    let report = try restarting(folder, limit: 2).run(
      [leader(until: "/nonexistent"), worker], signals: SignalPipe(),
      announce: { notices.append($0.sentence) })
    #expect(report.exitCode == .transient)
    #expect(report.children[1].restarts == 0)
    let failures = notices.filter { $0.hasPrefix("worker-0 could not be restarted: ") }
    #expect(failures.count == 2)
    #expect(failures.allSatisfy { $0.contains(program) && $0.contains("No such file") })
  }

  @Test("one of two workers may leave; the only server is restarted")
  func politeLeave() throws {
    let folder = try TemporaryFolder()
    let over = "\(folder.path)/over"
    func node(_ name: String, _ role: String, _ script: String) -> ChildSpecification {
      ChildSpecification(name: name, role: role, executable: "/bin/sh", arguments: ["-c", script])
    }
    var server = node("server-0", "server", "exit 0")
    // It stays until the leader has surely seen it: a child that leaves before is restarted.
    server.restartArguments = ["-c", "sleep 0.5; touch \(over); sleep 3"]
    var notices: [String] = []
    let report = try restarting(folder, grace: 10).run(
      [
        leader(until: over), server, node("worker-0", "worker", "exit 0"),
        node("worker-1", "worker", "while [ ! -e \(over) ]; do sleep 0.02; done"),
      ], signals: SignalPipe(), announce: { notices.append($0.sentence) })
    #expect(report.exitCode == .success)
    #expect(report.children.map(\.restarts) == [0, 1, 0, 0])
    #expect(
      Set(notices) == [
        "server-0 left the run, but no other process has its role; restarting it in 0.02 s "
          + "(restart 1)",
        "worker-0 was asked to leave and left (exit code 0); the run continues without it",
      ])
  }

  @Test("a killed child is restarted, and ends with a killed launcher, too")
  func orphans() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      Thread.detachNewThread {
        func process(_ name: String) -> Int32 {
          while true {
            let text = try? String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
            if let process = text.flatMap({ Int32($0.dropLast()) }) { return process }
            usleep(5_000)
          }
        }
        kill(process("coordinator-1"), SIGKILL)
        kill(process("worker-1"), SIGKILL)
        _ = process("coordinator-2")
        _ = process("worker-2")
        kill(getpid(), SIGKILL)
      }
      // Each process writes its id into a file of its own.
      let children = ["coordinator", "worker"].map { name in
        func life(_ number: Int) -> [String] {
          [
            "-c",
            "trap '' TERM INT HUP; echo $$ > \(path)/t-\(name);"
              + "mv \(path)/t-\(name) \(path)/\(name)-\(number); exec sleep 1000",
          ]
        }
        return ChildSpecification(
          name: name, executable: "/bin/sh", arguments: life(1), restartArguments: life(2),
          isLeader: name == "coordinator")
      }
      _ = try LocalLauncher(logDirectory: path, policy: RestartPolicy(limit: 5))
        .run(children, signals: SignalPipe())
    }
    for name in ["coordinator-1", "worker-1", "coordinator-2", "worker-2"] {
      let process = try #require(Int32(try folder.text(name).dropLast()))
      let isGone = Self.isGone(process)
      #expect(isGone, "\(name) is an orphan")
      if !isGone { kill(process, SIGKILL) }
    }
  }

  @Test("a stop while the leader is dead ends all children at once")
  func stopBetweenLives() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .exitCode(143)) { [path = path as String] in
      let leader = ChildSpecification(
        name: "coordinator", executable: "/bin/sh",
        arguments: [
          "-c", "while [ ! -e \(path)/up ]; do sleep 0.02; done; echo life; kill -9 $$",
        ], isLeader: true)
      let worker = ChildSpecification(
        name: "worker-0", executable: "/bin/sh",
        arguments: [
          "-c", "trap 'echo asked; exit 0' TERM; touch \(path)/up; while :; do sleep 0.02; done",
        ])
      let policy = RestartPolicy(limit: 5, firstDelay: 100, longestDelay: 100, steadyAfter: 1000)
      let report = try LocalLauncher(logDirectory: path, policy: policy).run(
        [leader, worker], signals: SignalPipe(), announce: { _ in kill(getpid(), SIGTERM) })
      guard report.children.map(\.restarts) == [0, 0] else { exit(1) }
      exit(report.exitCode.rawValue)
    }
    #expect(try folder.text("coordinator.log") == "life\n")
    #expect(try folder.text("worker-0.log").hasSuffix("asked\n"))
  }
}
