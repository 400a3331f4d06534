import ArgumentParser
import Runtime

struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "List, verify, export and compare checkpoints.",
    discussion: """
      A checkpoint is a folder such as RUN/checkpoints/v0000000118-g2. Wherever one is expected, \
      the directory of a run stands for its newest usable one. Versions count the updates of the \
      tables; a new generation begins when a run resumes, and when it rolls back after a server \
      was lost.

      No running cluster is needed, and one that is training is not disturbed.

        mrdib checkpoint list runs/one
        mrdib checkpoint verify runs/one
        mrdib checkpoint export runs/one --out tables
        mrdib checkpoint diff runs/one runs/two
      """,
    subcommands: [
      CheckpointList.self, CheckpointVerify.self, CheckpointExportCommand.self,
      CheckpointDiff.self,
    ])
}

struct CheckpointList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the checkpoints of a run, newest first.",
    discussion: """
      Reads manifests and the sizes of files only; 'verify' reads the files. Epoch and step are \
      the numbers of completed epochs and steps. A checkpoint is incomplete until all servers have \
      written their files. A run resumes from the newest usable checkpoint.

        mrdib checkpoint list runs/one
        mrdib checkpoint list --json /shared/checkpoints/RUN-ID
      """)

  @Argument(help: "A run's directory, or a folder of checkpoints.", completion: .directory)
  var path: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let listing = try CheckpointListing(path: path)
      if json { return try StandardOutput.writeJSON(listing) }
      StandardOutput.write(listing.lines)
    }
  }
}

struct CheckpointVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Read every byte of checkpoints and compare it with the recorded digests.",
    discussion: """
      For the directory of a run, the best model's files are read too, and the records \
      (run.sqlite) are compared with the other files.

      Prints a line for each problem, with the file. The exit code is 65 if there is a problem, \
      and 66 if there is no complete checkpoint.

        mrdib checkpoint verify runs/one
        mrdib checkpoint verify runs/one/checkpoints/v0000000118-g2
      """)

  @Argument(
    help: "A run's directory, a folder of checkpoints, or one checkpoint.", completion: .directory)
  var path: String

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  func run() throws {
    try reporting {
      let verification = try verify()
      if json {
        try StandardOutput.writeJSON(verification)
      } else {
        StandardOutput.write(verification.lines)
      }
      if !verification.isGood {
        throw ArgumentParser.ExitCode(Runtime.ExitCode.dataMalformed.rawValue)
      }
      if let missing = verification.missing { throw missing }
    }
  }

  /// With progress on stderr, which ends with it.
  private func verify() throws -> CheckpointVerification {
    let progress = WorkProgress(isQuiet: quiet)
    return try CheckpointVerification(path: path) {
      progress.note("verifying", .bytes($0, of: $1))
    }
  }
}

struct CheckpointExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write all parameters of a checkpoint for other programs.",
    discussion: """
      Each table is one matrix of 32-bit floats, [rows, width], as the step after the checkpoint \
      reads it; the number of servers does not matter. Tables that only evaluation writes are left \
      out: 'mrdib export' writes the final vectors of the best epoch.

        mrdib checkpoint export runs/one --out tables
        mrdib checkpoint export runs/one/checkpoints/v0000000118-g2 --format npy --out tables
      """)

  @Argument(
    help: "A checkpoint, or a run's directory for its newest usable one.", completion: .directory)
  var path: String

  @Option(help: "safetensors (parameters.safetensors) or npy (TABLE.npy for each table).")
  var format = TableFormat.safetensors

  @Option(help: ArgumentHelp("Where to write.", valueName: "folder"), completion: .directory)
  var out: String

  @Flag(help: "Also the optimizer's states, such as TABLE/exp_avg (Adam) or TABLE/sum (Adagrad).")
  var withState = false

  func run() throws {
    try reporting {
      let export = try CheckpointExport.write(
        path: path, format: format, to: out, withState: withState)
      export.problems.forEach { StandardError.write("warning: \($0)") }
      StandardError.write("from \(export.checkpoint)")
      StandardOutput.write(export.files)
    }
  }
}

struct CheckpointDiff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two checkpoints table by table.",
    discussion: """
      Counts rows whose weights differ in any bit, and rows whose optimizer state does; the number \
      of servers does not matter. Tables that only evaluation writes are left out. The exit code \
      is 0 if all tables have the same bits, 1 if some differ, and higher if the checkpoints \
      cannot be compared (65 damaged, 66 missing).

        mrdib checkpoint diff runs/one runs/two
        mrdib checkpoint diff --json runs/one/checkpoints/v0000000118-g2 runs/two
      """)

  @Argument(
    help: "A checkpoint, or a run's directory for its newest usable one.", completion: .directory)
  var first: String

  @Argument(help: "Another one.", completion: .directory)
  var second: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try reporting {
      let comparison = try CheckpointComparison(first, second)
      for problem in comparison.left.problems + comparison.right.problems {
        StandardError.write("warning: \(problem)")
      }
      if json {
        try StandardOutput.writeJSON(comparison)
      } else {
        StandardOutput.write(comparison.lines)
      }
      if !comparison.isSame {
        throw ArgumentParser.ExitCode(Runtime.ExitCode.failure.rawValue)
      }
    }
  }
}
