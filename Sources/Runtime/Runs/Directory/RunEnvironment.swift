import Foundation
import Tensors

/// `environment.json`: the machine and the program that made a run, to judge its numbers later.
///
/// It shows the first start of a run; later starts, which resume it, are listed in `resumed`.
package struct RunEnvironment: Sendable, Equatable, Codable {
  /// A start that resumed a run.
  package struct Resumption: Sendable, Equatable, Codable {
    package var commandLine: [String]
    package var host: String
    /// Of the program.
    package var version: String
    /// ISO 8601, UTC.
    package var started: String

    private enum CodingKeys: String, CodingKey {
      case commandLine = "command_line"
      case host, version, started
    }
  }

  /// The most resumptions that are listed: the newest.
  static let resumptionLimit = 100

  package struct BLAS: Sendable, Equatable, Codable {
    /// The kernels in use, such as `SkylakeX`.
    package var core: String
    /// The kernels that the program chose; `core` differs only if the library does not have them.
    package var chosen: String
    /// The library's own description of how it was built.
    package var configuration: String

    package init(core: String, chosen: String, configuration: String) {
      self.core = core
      self.chosen = chosen
      self.configuration = configuration
    }
  }

  package var schemaVersion = 1
  package var version: String
  package var gitCommit: String?
  package var host: String
  package var operatingSystem: String
  package var cpuModel: String
  package var cpuCores: Int
  package var memoryBytes: UInt64
  package var openBLAS: BLAS
  /// That the user typed, also where a launcher starts the coordinator.
  package var commandLine: [String]
  /// ISO 8601, UTC.
  package var started: String
  /// nil for a run that was never resumed.
  package var resumed: [Resumption]?
  /// The user who started the run; nil in records of older releases.
  package var owner: String?
  /// The name that the user gave to the run.
  package var name: String?
  package var labels: [String: String]?

  /// The run's name and labels.
  package var title: RunTitle {
    get { RunTitle(name: name, labels: labels ?? [:]) }
    set {
      name = newValue.name
      labels = newValue.labels.isEmpty ? nil : newValue.labels
    }
  }

  private enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case gitCommit = "git_commit"
    case operatingSystem = "operating_system"
    case cpuModel = "cpu_model"
    case cpuCores = "cpu_cores"
    case memoryBytes = "memory_bytes"
    case openBLAS = "openblas"
    case commandLine = "command_line"
    case version, host, started, resumed, owner, name, labels
  }

  /// This start as one of a run that was begun before.
  ///
  /// - Parameter first: what was recorded of it so far.
  func resuming(_ first: RunEnvironment) -> RunEnvironment {
    let start = Resumption(
      commandLine: commandLine, host: host, version: version, started: started)
    var all = first
    all.resumed = Array(((first.resumed ?? []) + [start]).suffix(Self.resumptionLimit))
    all.title = first.title.updated(with: title)
    return all
  }

  /// This machine and this process.
  ///
  /// - Parameters:
  ///   - version: of the program.
  ///   - gitCommit: that the program was built from, if known.
  ///   - openBLAS: as the BLAS module reports it.
  ///   - cpuInfo: text in the form of `/proc/cpuinfo`; nil: that of this machine.
  package static func capture(
    version: String, gitCommit: String?, openBLAS: BLAS, started: Date,
    commandLine: [String] = CommandLine.arguments,
    cpuInfo: String? = nil
  ) -> RunEnvironment {
    let process = ProcessInfo.processInfo
    return RunEnvironment(
      version: version, gitCommit: gitCommit, host: process.hostName,
      operatingSystem: process.operatingSystemVersionString,
      cpuModel: cpuModel(in: cpuInfo ?? ProcessorFeatures.cpuInfo),
      cpuCores: process.activeProcessorCount, memoryBytes: process.physicalMemory,
      openBLAS: openBLAS, commandLine: commandLine, started: started.ISO8601Format())
  }

  /// The value of the first `model name` line; `unknown` where there is none (some ARM machines).
  static func cpuModel(in cpuInfo: String) -> String {
    let line = cpuInfo.split(separator: "\n").first { $0.hasPrefix("model name") }
    let value = line?.split(separator: ":", maxSplits: 1).last.map(String.init)
    return value?.trimmingCharacters(in: .whitespaces) ?? "unknown"
  }
}

extension RunEnvironment.BLAS {
  /// The kernels of this process.
  static var current: Self {
    Self(
      core: BLASKernels.runningName, chosen: BLASKernels.chosenName,
      configuration: Tensors.BLAS.buildDescription)
  }
}
