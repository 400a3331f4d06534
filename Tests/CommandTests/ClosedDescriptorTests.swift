import Foundation
import TestSupport
import Testing

/// Standard descriptors that are closed when the program starts: none of its own files or pipes
/// may get their numbers.
@Suite(.serialized) struct ClosedDescriptorTests {
  /// Which of stdin, stdout and stderr are closed.
  enum Closed: String, CaseIterable, CustomTestStringConvertible {
    case input = "<&-"
    case output = ">&-"
    case errors = "2>&-"
    case inputAndOutput = "<&- >&-"
    case inputAndErrors = "<&- 2>&-"
    case outputAndErrors = ">&- 2>&-"
    case all = "<&- >&- 2>&-"

    /// For bash.
    var line: String { "exec \"$@\" \(rawValue)" }
    /// The exit code of a command whose results are lost and that succeeds otherwise.
    var status: Int32 { rawValue.contains(" >&-") || rawValue.hasPrefix(">&-") ? 74 : 0 }
    var testDescription: String { rawValue }
  }

  private static let training =
    ["--epochs", "3", "--shards", "3"]
    + ["--set", "train_batch_size=512"]

  /// A data set, and a finished run on it with the bits that every other run must have.
  private struct Trained {
    let folder: TemporaryFolder
    let data: String
    let bytes: [Data]

    init() throws {
      folder = try TemporaryFolder()
      data = try folder.generateData()
      bytes = try folder.train("trained", data: data, ["--single-process"])
      // Three epochs may end before the first checkpoint is complete; a stopped run has one.
      let stopped = try RunningCommand(
        folder,
        ["train", "--data", data, "--run", folder.path("stopped"), "--single-process"]
          + ["--epochs", "100000", "--set", "stopping_step=100000"])
      try Wait.until("a model") {
        FileManager.default.fileExists(atPath: folder.path("stopped/best.json"))
      }
      stopped.terminate()
      #expect(try stopped.wait() == 143, "\(stopped.errors)")
    }
  }

  private static let shared = Result { try Trained() }

  /// The run has the same bits, and its lock holds a process's id and nothing else.
  private func check(
    _ run: String, in trained: Trained, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(
      try trained.folder.exportedBytes(run) == trained.bytes, sourceLocation: sourceLocation)
    #expect(
      try trained.folder.object("\(run)/summary.json")["epochs_run"] as? Int == 3,
      sourceLocation: sourceLocation)
    let lock = try trained.folder.text("\(run)/lock")
    #expect(Int32(lock.dropLast()) != nil, "\(lock)", sourceLocation: sourceLocation)
  }

  @Test(
    "training: the same bits, and an exit code for lost results",
    arguments: Closed.allCases, [[], ["--single-process"]])
  func train(closed: Closed, options: [String]) throws {
    let trained = try Self.shared.get()
    let run = UUID().uuidString
    let command = try Command(
      bash: closed.line,
      arguments: ["train", "--data", trained.data, "--run", trained.folder.path(run)]
        + Self.training + options)
    #expect(command.status == closed.status, "\(command.errors)")
    try check(run, in: trained)
    if options.isEmpty {
      // The logs of child processes do not depend on the launcher's descriptors.
      #expect(try trained.folder.text("\(run)/logs/worker-0.log").contains("leaving: "))
    }
  }

  @Test(
    "roles that were started by hand end as usual",
    arguments: Closed.allCases, ["coordinator", "server", "worker"])
  func roles(closed: Closed, disturbed: String) throws {
    let trained = try Self.shared.get()
    let run = UUID().uuidString
    let address = "ipc://\(trained.folder.path)/\(run.prefix(8)).sock"
    let arguments = [
      "coordinator": [
        "--listen", address, "--workers", "1", "--servers", "1", "--data", trained.data, "--run",
        trained.folder.path(run),
      ] + Self.training,
      "server": ["--coordinator", address], "worker": ["--coordinator", address],
    ]
    let processes = try arguments.map { role, arguments in
      (
        role,
        try RunningCommand(
          trained.folder, bash: role == disturbed ? closed.line : "exec \"$@\"",
          [role] + arguments)
      )
    }
    for (role, process) in processes {
      // Only the coordinator has results.
      let status = role == disturbed && role == "coordinator" ? closed.status : 0
      #expect(try process.wait() == status, "\(role): \(process.errors)")
    }
    try check(run, in: trained)
  }

  /// Short commands by name: arguments in which words in capitals stand for
  /// paths.
  private static let toolLines = [
    "recommend": "recommend --run RUN --user 1", "export": "export --run RUN --out NEW",
    "list": "checkpoint list STOPPED", "verify": "checkpoint verify STOPPED",
    "checkpoint export": "checkpoint export STOPPED --out NEW",
    "diff": "checkpoint diff STOPPED STOPPED",
    "validate": "data validate DATA", "stats": "data stats DATA",
    "generate": "data generate --out NEW --users 150 --items 90 --interactions 12",
    "config keys": "config keys", "config show": "config show", "doctor": "doctor",
    "keys": "keys new NEW", "dry run": "train --data DATA --dry-run", "help": "--help",
    "compare": "compare RUN", "simulate": "simulate --seeds 1",
    "sweep": "sweep --data DATA --config GRID --run NEW",
    "ablate": "ablate --data DATA --seeds 1 --epochs 1 --run NEW",
  ]

  @Test(
    "tools: an exit code for lost results, and nothing is written elsewhere",
    arguments: toolLines.keys.sorted(), [Closed.output, .errors, .inputAndErrors, .all])
  func tools(name: String, closed: Closed) throws {
    let trained = try Self.shared.get()
    let paths = [
      "RUN": trained.folder.path("trained"), "STOPPED": trained.folder.path("stopped"),
      "DATA": trained.data,
      "NEW": trained.folder.path(UUID().uuidString),
      "GRID": try trained.folder.write(
        "hyper_parameters: [seed]\nseed: [1, 2]\nepochs: 1\n", to: "grid.yaml"),
    ]
    let words = try #require(Self.toolLines[name]).split(separator: " ").map(String.init)
    let command = try Command(bash: closed.line, arguments: words.map { paths[$0] ?? $0 })
    #expect(command.status == closed.status, "\(name): \(command.errors)")
    if closed == .output {
      #expect(command.errors.contains("Cannot write the results to stdout: it is closed."))
    }
  }

  @Test("a failure whose message cannot be written still has its exit code")
  func failures() throws {
    for closed in Closed.allCases {
      let command = try Command(
        bash: closed.line, arguments: ["train", "--data", "/nonexistent", "--run", "/nonexistent"])
      #expect(command.status == 66, "\(closed)")
      #expect(try Command(bash: closed.line, arguments: ["train", "--none"]).status == 64)
    }
  }
}
