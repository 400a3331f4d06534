import Foundation
import TestSupport
import Testing

/// Every role and tool with low limits: each ends in bounded time with a meaningful code
/// and message, and never with a stack trace, a hang or a loop of restarts.
@Suite(.serialized) struct LimitTests {
  /// The codes in the README.
  private static let codes: Set<Int32> = [0, 1, 64, 65, 66, 69, 70, 71, 73, 74, 78, 138]

  /// A folder with a data set and a finished run on it.
  private static let prepared: Result<TemporaryFolder, any Error> = Result {
    let folder = try TemporaryFolder()
    let run = try Command(
      "train", "--data", try folder.generateData(), "--run", folder.path("run"), "--epochs", "1",
      "--quiet")
    #expect(run.status == 0, "\(run.errors)")
    return folder
  }

  private static func commands(_ folder: TemporaryFolder) -> [[String]] {
    let data = folder.path("data")
    let new = folder.path("new-\(UUID().uuidString)")
    let train = ["train", "--data", data, "--epochs", "1", "--quiet"]
    // Nothing listens there.
    let unreachable = ["--coordinator", "ipc://\(folder.path)/none", "--join-timeout", "1"]
    return [
      train + ["--run", "\(new)-cluster"],
      train + ["--run", "\(new)-single", "--single-process"],
      [
        "coordinator", "--listen", "tcp://127.0.0.1:*", "--data", data, "--run", "\(new)-roles",
        "--quiet", "--set", "startup_timeout_ms=1000",
      ],
      ["server"] + unreachable, ["worker"] + unreachable,
      ["recommend", "--run", folder.path("run"), "--user", "1"],
      ["data", "validate", data],
    ]
  }

  private static func check(_ command: Command, _ what: String) {
    #expect(codes.contains(command.status), "\(what): \(command.status) \(command.errors)")
    for trace in ["Backtrac", "crashed", "pthread_create failed", ".cpp:", "restart 3"] {
      #expect(!command.errors.contains(trace), "\(what): \(command.errors)")
    }
    guard command.status != 0 else { return }
    let sentences = command.errors.split(separator: "\n").filter { $0.hasPrefix("mrdib: ") }
    #expect(sentences.count == 1, "\(what): \(command.errors)")
  }

  @Test(
    "few open files, little address space",
    arguments: [8, 24, 56].map { "-n \($0)" }
      + [170_000, 300_000, 1_000_000].map { "-v \($0)" })
  func limits(limit: String) throws {
    for arguments in Self.commands(try Self.prepared.get()) {
      let command = try Command(
        bash: "ulimit \(limit); exec \"$@\"", arguments: arguments)
      Self.check(command, "ulimit \(limit), \(arguments)")
    }
  }

  @Test("a cluster that exceeds the limits is refused before any process is started")
  func refused() throws {
    let folder = try Self.prepared.get()
    let train = try Command(
      bash: "ulimit -n 64; exec \"$@\"",
      arguments: [
        "train", "--data", folder.path("data"), "--run", folder.path("large"), "--workers", "30",
      ])
    #expect(train.status == 71)
    #expect(
      train.errors.contains("needs at least 86 open files, and the limit is 64; raise it"),
      "\(train.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path("large/logs/worker-0.log")))
    // Without the limit the same command trains.
    let again = try Command(
      "train", "--data", folder.path("data"), "--run", folder.path("large"), "--epochs", "1")
    #expect(again.status == 0, "\(again.errors)")
  }

  @Test(
    "a low limit of processes and threads, which does not apply to root: as another user",
    .enabled(if: OtherUser.isPossible, "needs root, setpriv, and a build that others can read"),
    arguments: [2, 8, 24])
  func processes(limit: Int) throws {
    let folder = try Self.prepared.get()
    // It owns the folder and the files that it creates there.
    #expect(chmod(folder.path, 0o777) == 0)
    for arguments in Self.commands(folder) {
      let command = try OtherUser.run(
        "ulimit -u \(limit); exec \"$@\"", arguments, home: folder.path)
      Self.check(command, "ulimit -u \(limit), \(arguments)")
    }
  }
}

/// A user with no rights.
private enum OtherUser {
  private static let change = "setpriv --reuid=65534 --regid=65534 --clear-groups"

  static let isPossible: Bool = {
    guard getuid() == 0 else { return false }
    let probe = try? Command(bash: "\(change) \"$@\"", arguments: ["--version"])
    return probe?.status == 0
  }()

  /// - Parameter line: for bash, in which `"$@"` is the program with its arguments.
  static func run(_ line: String, _ arguments: [String], home: String) throws -> Command {
    try Command(
      bash: "cd / && HOME='\(home)' \(change) bash -c '\(line)' bash \"$@\"", arguments: arguments)
  }
}
