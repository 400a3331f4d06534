import Foundation
import TestSupport
import Testing

/// Standard descriptors that were closed by whoever started the program: no file or pipe of its own
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
    /// Of a command that has results and can do all else: results that are lost are no success.
    var status: Int32 { rawValue.contains(" >&-") || rawValue.hasPrefix(">&-") ? 74 : 0 }
    var testDescription: String { rawValue }
  }

  private static let training =
    ["--epochs", "3", "--shards", "3"]
    + ["--set", "train_batch_size=512"]

  /// One data set, a finished run on it, and what every other run has to end in.
  private struct Trained {
    let folder: TemporaryFolder
    let data: String
    let bytes: [Data]

    init() throws {
      folder = try TemporaryFolder()
      data = try folder.generateData()
      bytes = try folder.train("trained", data: data, ["--single-process"])
      // A run of three epochs may be over before a checkpoint is; one that is stopped has one.
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

  /// The run is as if nothing had been closed, and its lock holds a process's id and nothing else.
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
    "training: same bits, results that are lost are told by the code",
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
      // What processes log does not depend on what the launcher has.
      #expect(try trained.folder.text("\(run)/logs/worker-0.log").contains("leaving: "))
    }
  }

  @Test(
    "a role that was started by hand: it and the others end as ever",
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

  /// Commands that are over soon, by name: arguments in which words in capitals stand for
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
    "tools: results that are lost are told by the code, and nothing is written elsewhere",
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

  @Test("the reason of a failure has no place to go: the code still says which it is")
  func failures() throws {
    for closed in Closed.allCases {
      let command = try Command(
        bash: closed.line, arguments: ["train", "--data", "/nonexistent", "--run", "/nonexistent"])
      #expect(command.status == 66, "\(closed)")
      #expect(try Command(bash: closed.line, arguments: ["train", "--none"]).status == 64)
    }
  }
}
