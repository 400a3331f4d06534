import Foundation
import TestSupport
import Testing

/// Output that is not read or cannot be written (`/dev/full` acts as a full disk).
@Suite struct LostOutputTests {
  /// Runs the program in a shell, with redirections after its arguments.
  private func shell(_ arguments: [String], _ redirection: String) throws -> (Int32, String) {
    let command = try Command(
      bash: "\"$@\" \(redirection); exit ${PIPESTATUS[0]}", arguments: arguments)
    return (command.status, command.errors)
  }

  @Test(
    "lost progress output does not stop training",
    arguments: ["2> /dev/full", "2>&1 > /dev/null | true"], [[], ["--single-process"]])
  func progress(redirection: String, options: [String]) throws {
    let folder = try TemporaryFolder()
    let (status, _) = try shell(
      ["train", "--data", folder.generateData(), "--epochs", "3", "--run", "\(folder.path)/run"]
        + options, redirection)
    #expect(status == 0)
    #expect(try folder.object("run/summary.json")["epochs_run"] as? Int == 3)
  }

  @Test("a failure whose message is lost still has its exit code")
  func reasons() throws {
    let folder = try TemporaryFolder()
    #expect(try shell(["train", "--data", "\(folder.path)/nothing"], "2> /dev/full").0 == 66)
  }

  @Test("a closed pipe ends the command without a message, as SIGPIPE would")
  func unwanted() throws {
    let (status, errors) = try shell(["config", "keys"], "| true")
    #expect(status == 141 && errors.isEmpty, "\(errors)")
  }

  @Test("results that cannot be written are a failure", arguments: ["config", "data"])
  func results(tool: String) throws {
    let folder = try TemporaryFolder()
    let arguments =
      tool == "config"
      ? ["config", "keys"] : ["data", "stats", try folder.generateData(), "--json"]
    let (status, errors) = try shell(arguments, "> /dev/full")
    #expect(status == 74)
    #expect(errors.contains("Cannot write the results to stdout"), "\(errors)")
  }
}
