import Foundation
import TestSupport
import Testing

/// Output that is not read although its reader exists: a stopped pager, a
/// terminal after Ctrl-S, a service manager that hangs.
@Suite(.serialized) struct UnreadOutputTests {
  private static let endless = ["--epochs", "100000", "--set", "stopping_step=100000"]

  @Test(
    "unread progress does not delay training and changes no bit",
    arguments: [[], ["--single-process"], ["--workers", "2", "--servers", "2"]])
  func progress(options: [String]) throws {
    let long = try LongRun()
    let pipe = try FullPipe()
    let train = try RunningCommand(
      long.folder, ["train"] + long.settings("run") + options, errors: pipe.end)
    #expect(try train.wait() == 0)
    #expect(train.output.contains("recall@20"))
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("nor does a stopped terminal", arguments: [[], ["--single-process"]])
  func terminal(options: [String]) throws {
    let long = try LongRun()
    let terminal = try StoppedTerminal()
    let train = try RunningCommand(
      long.folder, ["train"] + long.settings("run") + options, errors: terminal.end)
    #expect(try train.wait() == 0)
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("a terminal that stops background writers (stty tostop) stops no role")
  func tostop() throws {
    let long = try LongRun()
    // `script` gives the command a terminal of its own.
    let script = try RunningCommand(
      long.folder,
      bash: "printf -v RUN '%q ' \"$@\"; "
        + "exec script -qec \"stty tostop; $RUN\" /dev/null",
      ["train"] + long.settings("run"))
    #expect(try script.wait() == 0, "\(script.output)")
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test(
    "a role whose log is not read does not delay others",
    arguments: ["coordinator", "server", "worker"])
  func roles(unread: String) throws {
    let long = try LongRun()
    let pipe = try FullPipe()
    let address = "ipc://\(long.folder.path)/c.sock"
    let arguments = [
      "coordinator": ["--listen", address, "--workers", "1", "--servers", "1"]
        + long.settings("run"),
      "server": ["--coordinator", address], "worker": ["--coordinator", address],
    ]
    let processes = try arguments.map { role, arguments in
      try RunningCommand(
        long.folder, [role] + arguments, errors: role == unread ? pipe.end : nil)
    }
    for process in processes { #expect(try process.wait() == 0, "\(process.errors)") }
    #expect(try long.result("run") == long.undisturbed())
  }

  @Test("dropped lines are counted and reported when the output is read again")
  func dropped() throws {
    let long = try LongRun()
    let pipe = try FullPipe()
    let train = try RunningCommand(
      long.folder,
      ["train", "--single-process", "--verbose"] + long.settings("run") + Self.endless,
      errors: pipe.end)
    // Three lines per epoch at least, less the lines that the pipe and the program keep.
    try long.wait(for: 700, of: "run", while: train)
    let text = try pipe.read(until: " lines dropped here: the output was not read\n")
    #expect(text.contains("run directory: "))
    train.terminate()
    #expect(try pipe.read(until: "writing a last checkpoint").contains("\nepoch "))
    #expect(try train.wait() == 143)
  }

  @Test(
    "a stop needs no reader: the exit code is the signal's, and the records are complete",
    arguments: [[], ["--single-process"]], [SIGINT, SIGTERM])
  func stop(options: [String], signal: Int32) throws {
    let long = try LongRun()
    let (output, errors) = (try FullPipe(), try FullPipe())
    let train = try RunningCommand(
      long.folder, ["train"] + long.settings("run") + Self.endless + options, output: output.end,
      errors: errors.end)
    try long.wait(for: 5, of: "run", while: train)
    let children = train.children.keys
    kill(train.processID, signal)
    #expect(try train.wait() == 128 + signal)
    for child in children { #expect(kill(child, 0) != 0, "\(child) is left") }
    let summary = try long.folder.object("run/summary.json")
    #expect(summary["outcome"] as? String == "interrupted")
    // The last epoch may be evaluated and written to metrics.jsonl only when the run resumes.
    let epochs = try #require(summary["epochs_run"] as? Int)
    #expect((0...1).contains(epochs - long.epochCount("run")))
  }

  @Test(
    "results wait for their reader without processes and lock; a signal ends the wait",
    arguments: [[], ["--single-process"]])
  func results(options: [String]) throws {
    let long = try LongRun()
    let pipe = try FullPipe()
    let train = try RunningCommand(
      long.folder, ["train"] + long.settings("run") + options, output: pipe.end)
    // It would be refused while the first process holds the lock.
    try Wait.until("the run is over") {
      FileManager.default.fileExists(atPath: "\(long.path("run"))/summary.json")
    }
    var second = try Command(arguments: ["train"] + long.settings("run"))
    try Wait.until("the directory is free") {
      if second.status == 73 { second = try Command(arguments: ["train"] + long.settings("run")) }
      return second.status != 73
    }
    #expect(second.status == 0 && second.output.contains("recall@20"), "\(second.errors)")
    #expect(train.isRunning && train.children.isEmpty)
    #expect(try long.result("run") == long.undisturbed())
    train.terminate()
    #expect(try train.wait() == 143)
  }

  @Test("results that are read late are complete")
  func readLate() throws {
    let long = try LongRun()
    let pipe = try FullPipe()
    let train = try RunningCommand(
      long.folder, ["train", "--single-process", "--json"] + long.settings("run"),
      output: pipe.end)
    try Wait.until("the run is over") {
      FileManager.default.fileExists(atPath: "\(long.path("run"))/summary.json")
    }
    let text = try pipe.read(until: "\n}\n").drop { $0 == "." }
    let summary = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(summary?["epochs_run"] as? Int == LongRun.epochs)
    #expect(try train.wait() == 0)
  }

  @Test("unread progress of a sweep delays none of its runs")
  func sweep() throws {
    let folder = try TemporaryFolder()
    let grid = try folder.write(
      "hyper_parameters: [seed]\nseed: [1, 2]\nepochs: 1\n", to: "grid.yaml")
    let pipe = try FullPipe()
    let sweep = try RunningCommand(
      folder,
      [
        "sweep", "--data", try folder.generateData(), "--config", grid, "--run",
        folder.path("sweep"),
      ], errors: pipe.end)
    #expect(try sweep.wait() == 0)
    #expect(sweep.output.contains("recall@20"), "\(sweep.output)")
  }

  @Test("a failure ends the program with its code even if its message is not read")
  func failure() throws {
    let folder = try TemporaryFolder()
    let pipe = try FullPipe()
    let missing = try RunningCommand(
      folder, ["train", "--data", folder.path("none")], errors: pipe.end)
    #expect(try missing.wait() == 66)
    let wrong = try RunningCommand(folder, ["train", "--none"], errors: pipe.end)
    #expect(try wrong.wait() == 64)
  }

  @Test("a tool waits for the reader of its results until a signal arrives")
  func tool() throws {
    let folder = try TemporaryFolder()
    let pipe = try FullPipe()
    let tool = try RunningCommand(folder, ["config", "keys"], output: pipe.end)
    Thread.sleep(forTimeInterval: 1)
    #expect(tool.isRunning)
    tool.terminate()
    #expect(try tool.wait() == SIGTERM)
  }
}
