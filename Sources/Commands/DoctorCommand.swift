import ArgumentParser
import Configuration
import CostModel
import Foundation
import Runtime
import Settings

/// Prints what this machine is, and whether a run fits into it.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Print the machine, the libraries and the kernels in use, or whether a run fits.",
    discussion: """
      With --data, --model or settings: the memory of each process of the run and the disk that it \
      needs, and whether this machine has them; the exit code is 71 if it has not. With --cluster: \
      how a process started here finds its cluster.

        mrdib doctor
        mrdib doctor --json
        mrdib doctor --data lfm2k --model mgcn --workers 2
        mrdib doctor --cluster --role server
      """)

  @Flag(
    help: """
      Print instead what a role started here takes from its environment (MRDIB_*, DMLC_*, \
      Kubernetes, Slurm), and what is missing.
      """)
  var cluster = false

  @Option(
    help: ArgumentHelp(
      "With --cluster: the role to name, coordinator, server or worker (default: worker)."))
  var role = "worker"

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup(title: "A run") var options: RunOptions

  func validate() throws {
    guard ["coordinator", "server", "worker"].contains(role) else {
      throw ValidationError("--role is '\(role)'; give coordinator, server or worker")
    }
    if cluster, options.namesRun {
      throw ValidationError("--cluster and the options of a run exclude each other.")
    }
  }

  func run() throws {
    try reporting {
      if cluster {
        let report = RendezvousReport(role: role)
        if json { return try StandardOutput.writeJSON(report) }
        return StandardOutput.write(report.lines)
      }
      if options.namesRun { return try checkRun() }
      let report = Diagnosis.capture()
      if json { return try StandardOutput.writeJSON(report) }
      StandardOutput.write(report.lines)
    }
  }

  private func checkRun() throws {
    let request = options.request()
    let estimate = try RunEstimate(request, effort: .brief, showsProgress: !options.quiet)
    let costs = try estimate.costs()
    let fit = MachineFit(costs, on: .current(folder: folder(costs.size.configuration)))
    if json {
      try StandardOutput.writeJSON(RunReport(memory: costs.memory, machine: fit))
    } else {
      StandardOutput.write(costs.memoryLines + fit.lines)
    }
    guard fit.problems.isEmpty else {
      throw RuntimeError(
        exitCode: .system,
        message: "The run does not fit into this machine: "
          + fit.problems.joined(separator: "; ") + ".")
    }
  }

  /// Where checkpoints are written, or the nearest folder above that is there.
  private func folder(_ configuration: RunConfiguration) -> String {
    let wanted = configuration.checkpoints.folder
    var path = wanted.isEmpty ? options.runDirectory ?? "." : wanted
    while !FileManager.default.fileExists(atPath: path), path.contains("/") {
      path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }
    return path.isEmpty ? "." : path
  }
}

/// The JSON of `mrdib doctor` about a run.
private struct RunReport: Encodable {
  let schemaVersion = 1
  let memory: MemoryNeeds
  let machine: MachineFit

  enum CodingKeys: String, CodingKey {
    case memory, machine
    case schemaVersion = "schema_version"
  }
}

extension RunOptions {
  /// Whether any option names a run or changes one.
  fileprivate var namesRun: Bool {
    data != nil || model != nil || objective != nil || workers != nil || servers != nil
      || shards != nil || !configurationFiles.isEmpty || !assignments.isEmpty
  }
}
