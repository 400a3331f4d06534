import Foundation
import TestSupport
import Testing

/// Nobody reads what the program says, or it cannot be written. (A full disk: `/dev/full`.)
@Suite struct LostOutputTests {
  /// Runs the program in a shell; what stands behind it says where its output goes.
  private func shell(_ arguments: [String], _ redirection: String) throws -> (Int32, String) {
    let command = try Command(
      bash: "\"$@\" \(redirection); exit ${PIPESTATUS[0]}", arguments: arguments)
    return (command.status, command.errors)
  }

  @Test(
    "what people would read is lost: training goes on to its end",
    arguments: ["2> /dev/full", "2>&1 > /dev/null | true"], [[], ["--single-process"]])
  func progress(redirection: String, options: [String]) throws {
    let folder = try TemporaryFolder()
    let (status, _) = try shell(
      ["train", "--data", folder.generateData(), "--epochs", "3", "--run", "\(folder.path)/run"]
        + options, redirection)
    #expect(status == 0)
    #expect(try folder.object("run/summary.json")["epochs_run"] as? Int == 3)
  }

  @Test("the reason of a failure is lost: the exit code still says which it is")
  func reasons() throws {
    let folder = try TemporaryFolder()
    #expect(try shell(["train", "--data", "\(folder.path)/nothing"], "2> /dev/full").0 == 66)
  }

  @Test("results that nobody wants any more end the command without a word, as SIGPIPE would")
  func unwanted() throws {
    let (status, errors) = try shell(["config", "keys"], "| true")
    #expect(status == 141 && errors.isEmpty, "\(errors)")
  }

  @Test("results that cannot be written are no success", arguments: ["config", "data"])
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
