import Foundation
import TestSupport
import Testing

/// What a run prints and what it leaves in its directory.
@Suite struct RunOutputTests {
  private static let settings = ["--epochs", "3", "--shards", "3", "--set", "train_batch_size=512"]

  private func lines(_ text: String, with prefix: String) -> [Substring] {
    text.split(separator: "\n").filter { $0.hasPrefix(prefix) }
  }

  @Test("one line per epoch, and at the end the next commands, which work")
  func lines() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let train = ["train", "--data", data, "--run", folder.path("a run")] + Self.settings
    let first = try Command(arguments: train)
    #expect(first.status == 0, "\(first.errors)")
    #expect(lines(first.errors, with: "epochs 0 to 2").count == 1, "\(first.errors)")
    let epochs = lines(first.errors, with: "epoch ")
    #expect(epochs.count == 3 && epochs.allSatisfy { $0.count < 80 }, "\(first.errors)")
    for (number, line) in epochs.enumerated() {
      #expect(line.hasPrefix("epoch \(number)  loss "), "\(line)")
      for part in ["recall@20 .", "best .", "/s", "left "] {
        #expect(line.contains(part), "\(part) in \(line)")
      }
    }
    #expect(!first.errors.contains("/3"), "no other way of counting: \(first.errors)")
    #expect(first.output.contains(/^best epoch \d; trained: 0 to 2\nmetric\tvalid\ttest\n/))
    // The commands to paste, with a path that needs quotes.
    let next = lines(first.errors, with: "  ").map { $0.dropFirst(2) }
    #expect(next.count == 3, "\(first.errors)")
    for line in next {
      let pasted = try Command(bash: String(line), arguments: [])
      #expect(pasted.status == 0, "\(line): \(pasted.errors)")
    }
    #expect(FileManager.default.fileExists(atPath: folder.path("a run/export/user.npy")))
    // Finished: it is not trained again, and the result is the same.
    let again = try Command(arguments: train)
    #expect(again.output == first.output && again.status == 0)
    #expect(lines(again.errors, with: "epoch ").isEmpty)
  }

  @Test("quiet prints nothing but warnings; verbose adds details; both together are refused")
  func details() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    func train(_ options: String...) throws -> Command {
      try Command(
        arguments: ["train", "--data", data, "--run", folder.path(options.joined())]
          + Self.settings + options)
    }
    #expect(try train("--quiet").errors.isEmpty)
    #expect(try train("--quiet", "--single-process").errors.isEmpty)
    let verbose = try train("--verbose")
    #expect(verbose.errors.contains(/\n    joint .*kl\.text \./), "\(verbose.errors)")
    #expect(verbose.errors.contains("\n    test ndcg@20 ."), "\(verbose.errors)")
    #expect(verbose.errors.contains("peak memory"), "\(verbose.errors)")
    let both = try train("-v", "--quiet")
    #expect(both.status == 64 && both.errors.contains("exclude each other"), "\(both.errors)")
  }

  @Test("a line is rewritten if stderr is a terminal, whatever stdout is")
  func terminal() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    func train(_ name: String, _ redirection: String) throws -> String {
      // `script` gives the command a terminal, whose output is its own.
      let command = try Command(
        bash: "printf -v RUN '%q ' \"$@\"; exec script -qec \"$RUN \(redirection)\" /dev/null",
        arguments: ["train", "--data", data, "--run", folder.path(name), "--epochs", "4"]
          // Progress within an epoch comes with heartbeats, so an epoch must take longer than
          // the time between two: hundreds of steps.
          + ["--shards", "3", "--set", "train_batch_size=6"]
          + ["--set", "heartbeat_interval_ms=50", "--set", "node_timeout_ms=5000"],
        environment: ["TERM": "xterm", "CI": "", "NO_COLOR": ""])
      #expect(command.status == 0, "\(command.output)")
      return command.output
    }
    let erase = "\r\u{1B}[K"
    let results = folder.path("results")
    let progress = try train("one", "> \(results)")
    #expect(progress.contains(erase), "\(progress)")
    #expect(try folder.text("results").contains("metric\tvalid\ttest\n"))
    let errors = folder.path("errors")
    let table = try train("two", "2> \(errors)")
    #expect(!table.contains("\u{1B}") && table.contains(/metric +valid +test\r\n/), "\(table)")
    #expect(try !folder.text("errors").contains("\u{1B}"))
  }

  @Test("logs holds what each process wrote, and the environment the command that was typed")
  func logs() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let arguments =
      ["train", "--data", data, "--run", folder.path("run"), "--workers", "2", "--servers", "1"]
      + ["--set", "train_batch_size=512", "--set", "stopping_step=100000"]
      + ["--shards", "2", "--epochs", "100000"]
    let train = try RunningCommand(folder, arguments)
    try Wait.until("it trains") { train.errors.contains("epoch 1 ") || !train.isRunning }
    kill(try #require(train.child("worker-1")), SIGKILL)
    try Wait.until("it is back") {
      train.errors.contains(/worker \d joined/) || !train.isRunning
    }
    train.interrupt()
    #expect(try train.wait() == 130, "\(train.errors)")
    let again = try RunningCommand(folder, arguments + ["--quiet"])
    try Wait.until("it trains again") {
      try folder.text("run/logs/coordinator.log").contains("the run resumes in epoch")
        || !again.isRunning
    }
    again.interrupt()
    #expect(try again.wait() == 130, "\(again.errors)")

    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("run/logs"))
    #expect(
      names.sorted() == [
        "coordinator.log", "server-0.log", "train.log", "worker-0.log", "worker-1.log",
      ])
    for name in names {
      let log = try folder.text("run/logs/\(name)")
      let process = name.dropLast(4)
      #expect(log.split(separator: "\n")[0].contains("\(process) starts, process "), "\(log)")
      let starts = log.components(separatedBy: "\(process) starts again").count - 1
      #expect(starts == (name == "worker-1.log" ? 2 : 1), "\(name): \(log)")
    }
    let coordinator = try folder.text("run/logs/coordinator.log")
    #expect(coordinator.contains("Z epoch 0  loss "), "\(coordinator)")
    #expect(coordinator.contains("Z     joint "), "details, although they were not printed")
    #expect(coordinator.contains(/warning: worker \d on \S/), "\(coordinator)")
    #expect(try folder.text("run/logs/train.log").contains("worker-1 was killed by signal 9"))

    let environment = try folder.object("run/environment.json")
    #expect(environment["command_line"] as? [String] == [Command.path] + arguments)
    let resumed = try #require(environment["resumed"] as? [[String: Any]])
    #expect(resumed.count == 1)
    #expect(
      resumed.first?["command_line"] as? [String] == [Command.path] + arguments + ["--quiet"])
  }

  @Test("roles that were started by hand keep logs, too")
  func rolesByHand() throws {
    let folder = try TemporaryFolder()
    let address = "ipc://\(folder.path)/c.sock"
    let processes = try [
      ["server", "--coordinator", address, "--log-file", folder.path("server.log")],
      [
        "worker", "--coordinator", address, "--log-file", folder.path("w.log"), "--name", "mine",
      ],
      [
        "coordinator", "--listen", address, "--data", try folder.generateData(), "--run",
        folder.path("run"), "--workers", "1", "--servers", "1",
      ] + Self.settings,
    ].map { try RunningCommand(folder, $0) }
    for process in processes { #expect(try process.wait() == 0, "\(process.errors)") }
    #expect(try folder.text("server.log").contains("server starts, process "))
    #expect(try folder.text("w.log").contains("mine starts, process "))
    #expect(try folder.text("w.log").contains("leaving: "))
    #expect(processes[1].errors.contains("leaving: "), "stderr has the same")
    #expect(try folder.text("run/logs/coordinator.log").contains("Z epoch 2  loss "))
    let environment = try folder.object("run/environment.json")
    #expect((environment["command_line"] as? [String])?[1] == "coordinator")
    let refused = try Command("worker", "--log-file", folder.path("none/w.log"))
    #expect(refused.status == 73 && refused.errors.contains("none/w.log"), "\(refused.errors)")
  }

  @Test("a log that cannot be written is a warning, and the run is trained")
  func unwritableLog() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path("run/logs/train.log"), withIntermediateDirectories: true)
    let train = try Command(
      arguments: ["train", "--data", try folder.generateData(), "--run", folder.path("run")]
        + ["--single-process"] + Self.settings)
    #expect(train.status == 0, "\(train.errors)")
    #expect(lines(train.errors, with: "warning: cannot write the log").count == 1)
  }
}
