internal import Configuration
internal import Experiments
internal import Foundation
internal import Recommenders
internal import Runtime
internal import Settings

/// How a run was made: machine, program, time, and how to make it again.
enum OriginSection {
  /// - Parameter quote: makes one word of a shell's command of a text.
  static func make(_ records: RunRecords, quote: (String) -> String) -> [ReportSection] {
    [environment(records), reproduction(records, quote)]
  }

  private static func environment(_ records: RunRecords) -> ReportSection {
    ReportSection("environment", "Time and environment") {
      seconds(records)
      if let environment = records.environment {
        facts(environment)
      } else {
        HTML.paragraph("note") { "The run did not record its machine (environment.json)." }
      }
    }
  }

  /// What a run's times are called in its result.
  private static let timeNames = [
    "total": "wall time, from the start of the program", "train": "training, wall time",
    "evaluate": "evaluation, wall time",
  ]

  private static func seconds(_ records: RunRecords) -> HTML {
    var times = records.ending?.result.seconds ?? [:]
    if times.isEmpty {
      for name in ["train", "evaluate"] {
        times[name] = records.epochs.compactMap { $0.seconds[name] }.reduce(0, +)
      }
    }
    let epochs = records.epochs.compactMap { $0.seconds["train"] }.sorted()
    var rows = times.sorted { (-$0.value, $0.key) < (-$1.value, $1.key) }.map { name, value in
      [timeNames[name] ?? name, String(format: "%.1f s", value)]
    }
    if !epochs.isEmpty {
      rows.append([
        "training of a middle epoch", String(format: "%.2f s", epochs[epochs.count / 2]),
      ])
    }
    let usage = records.ending?.usage
    if let total = usage?.cpuSeconds["total"] {
      rows.append(["processors, all processes together", String(format: "%.1f s", total)])
    }
    return HTML([
      HTMLTable("Time", columns: [.text("what"), .number("time")], rows: rows).html,
      usage.map { usage in .paragraph("note") { energy(usage.energy) } } ?? HTML(),
    ])
  }

  private static func energy(_ energy: RunUsage.Recorded.Energy) -> String {
    func wattHours(_ joules: Double) -> String { String(format: "%.3g Wh", joules / 3600) }
    let measured = energy.measuredJoules.map {
      " The coordinator's machine measured \(wattHours($0)), with all that ran on it."
    }
    return "Energy: about \(wattHours(energy.estimatedJoules)), an estimate: the time of processors"
      + String(format: " times %g W.", energy.wattsPerCore)
      + " Idle processors, memory, disks, network and cooling are left out." + (measured ?? "")
  }

  private static func facts(_ environment: RunEnvironment) -> HTML {
    var facts = FactList()
    facts.add("host", environment.host)
    facts.add("processor", "\(environment.cpuModel), \(environment.cpuCores) cores")
    facts.add("memory", Numbers.bytes(environment.memoryBytes))
    facts.add("system", environment.operatingSystem)
    facts.add("mrdib", environment.version)
    facts.add("commit", environment.gitCommit)
    facts.add("OpenBLAS kernels", environment.openBLAS.core)
    facts.add("OpenBLAS", environment.openBLAS.configuration)
    facts.add("started", environment.started)
    if let resumed = environment.resumed, let last = resumed.last {
      facts.add("resumed", "\(ProgressFormat.count(resumed.count, "time")), last \(last.started)")
    }
    return facts.html
  }

  private static func reproduction(
    _ records: RunRecords, _ quote: (String) -> String
  ) -> ReportSection {
    let data = records.configuration.data.folder
    let settings = ConfigurationSection.requestedSettings(records)
    return ReportSection("reproduction", "How to make it again") {
      if let environment = records.environment {
        HTML.paragraph { "The command that made the run, on \(environment.host):" }
        HTML.element("pre", ["tabindex": "0"]) {
          environment.commandLine.map(quote).joined(separator: " ")
        }
      }
      HTML.paragraph {
        "With these settings in a file "
        HTML.code("settings.yaml")
        ":"
      }
      HTML.element("pre", ["tabindex": "0", "id": "settings"]) {
        settings.isEmpty ? "# the defaults of this release\n" : settings
      }
      HTML.paragraph { "a copy of the data set, and the same release, the run is made again by:" }
      HTML.element("pre", ["tabindex": "0", "id": "command"]) {
        "mrdib train --data \(quote(data.isEmpty ? "FOLDER" : data)) --config settings.yaml"
          + " --run again"
      }
      HTML.paragraph("note") {
        "The data set has the digest "
        HTML.code(records.configuration.data.digest)
        ". The same data, settings, seed and number of shards give the same bits with the same"
          + " OpenBLAS kernels"
          + (records.environment.map { " (MRDIB_BLAS_CORE=\($0.openBLAS.core))" } ?? "")
          + ", with any number of workers, servers and threads"
          + (records.configuration.training.consistency == .bsp
            ? "." : "; this run was not made with consistency bsp, so no two have the same bits.")
      }
    }
  }
}
