import Foundation
import TestSupport
import Testing

/// Exported variables do not decide the bits of a run.
@Suite struct KernelTests {
  private static let settings = ["--epochs", "2", "--quiet", "--set", "train_batch_size=512"]

  @Test("variables of OpenBLAS change no bit, in one process and in a cluster")
  func environment() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    func train(_ name: String, _ options: [String], _ environment: [String: String]) throws
      -> [Data]
    {
      let command = try Command(
        arguments: ["train", "--data", data, "--run", "\(folder.path)/\(name)"] + Self.settings
          + options, environment: environment)
      #expect(command.status == 0, "\(environment): \(command.errors)")
      return try folder.exportedBytes(name)
    }
    let plain = try train("plain", ["--single-process"], [:])
    let names = [
      "Haswell", "SkylakeX", "Sandybridge", "Zen", "Prescott", "Cooperlake", "nonsense", "",
    ]
    for name in names {
      // An earlier release trusted this variable.
      let environment = [
        "OPENBLAS_CORETYPE": name, "OPENBLAS_NUM_THREADS": "2", "OPENBLAS_BLOCK_FACTOR": "3",
        "MRDIB_BLAS_CHOSEN": "1",
      ]
      #expect(try train("one-\(name)", ["--single-process"], environment) == plain, "\(name)")
    }
    #expect(try train("many", [], ["OPENBLAS_CORETYPE": "Prescott"]) == plain)
    let machine = try folder.object("many/environment.json")
    let library = try #require(machine["openblas"] as? [String: String])
    #expect(library["core"] == library["chosen"] && library["core"] != "Prescott")
  }

  @Test("unknown kernels are refused by every command at its start")
  func unknown() throws {
    let folder = try TemporaryFolder()
    for arguments in [
      ["doctor"], ["train", "--run", "\(folder.path)/run"], ["worker"], ["server"],
    ] {
      let command = try Command(
        arguments: arguments, environment: ["MRDIB_BLAS_CORE": "nonsense"])
      #expect(command.status == 78, "\(arguments): \(command.errors)")
      #expect(command.errors.contains("'nonsense' (MRDIB_BLAS_CORE)"), "\(command.errors)")
    }
    #expect(try folder.files.isEmpty)
  }

  @Test("a run that resumes with other kernels prints a warning, and doctor shows the kernels")
  func otherKernels() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let train =
      ["train", "--data", data, "--run", "\(folder.path)/run"]
      + ["epochs=1000", "stopping_step=1000", "train_batch_size=512"].flatMap { ["--set", $0] }
    let first = try RunningCommand(folder, train)
    try Wait.until("it trains") { first.errors.contains("\nepoch ") || !first.isRunning }
    first.interrupt()
    #expect(try first.wait() == 130, "\(first.errors)")
    #expect(!first.errors.contains("kernels of OpenBLAS"), "\(first.errors)")
    // Every processor can run these.
    let again = try RunningCommand(folder, train, environment: ["MRDIB_BLAS_CORE": "Prescott"])
    try Wait.until("it warns") {
      again.errors.contains("uses OpenBLAS's Prescott kernels") || !again.isRunning
    }
    again.interrupt()
    #expect(try again.wait() == 130, "\(again.errors)")
    #expect(again.errors.contains("the result can differ"), "\(again.errors)")
    let doctor = try Command(
      arguments: ["doctor"], environment: ["MRDIB_BLAS_CORE": "prescott"])
    #expect(doctor.output.contains("OpenBLAS kernels\tPrescott"), "\(doctor.output)")
  }
}
