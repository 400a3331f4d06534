import Configuration
import Foundation
import Runtime
import Settings

extension RunCosts {
  /// As text, with tables.
  package var text: String {
    let epoch =
      "\(size.interactions) training interactions, batches of \(size.batchSize) in \(size.shards) "
      + "shards: \(size.stepsPerEpoch) steps an epoch"
    let batch = String(
      format: "a batch has %.0f distinct users and %.0f distinct items", distinct.users,
      distinct.items)
    return
      ([
        "\(size.configuration.model.model) (\(size.configuration.model.objective.rawValue)), "
          + "\(size.users) users, \(size.items) items", epoch, batch, "",
      ] + stepTable + [""] + memoryLines).joined(separator: "\n")
  }

  /// What a step takes, by process.
  private var stepTable: [String] {
    func row(
      _ name: String, _ count: Int, _ traffic: TwoWayTraffic, _ seconds: ProcessorSeconds.Process?
    ) -> [String] {
      [
        name, "\(count)", Self.number(traffic.sent.messages), Self.megabytes(traffic.sent.bytes),
        Self.number(traffic.received.messages), Self.megabytes(traffic.received.bytes),
        seconds.map { Self.milliseconds($0.computing) } ?? "-",
        seconds.map { Self.milliseconds($0.messages) } ?? "-",
      ]
    }
    let table = TextTable(
      header: [
        "a step of each", "processes", "messages out", "MB out", "messages in", "MB in",
        "computing, ms", "messages, ms",
      ],
      rows: [
        row("worker", size.busyWorkers, traffic.worker, processor?.worker),
        row("server", size.servers, traffic.server, processor?.server),
      ], leftColumns: 1)
    guard let processor else { return table.lines }
    return table.lines + [
      "all processes together: \(Self.milliseconds(processor.total)) ms of processor time a step, "
        + "measured here and now on \(measuredOn.joined(separator: " and on "))"
    ]
  }

  /// Memory by process, and the disk.
  package var memoryLines: [String] {
    let table = TextTable(
      header: ["memory of each", "processes", "resident", "of that mapped", "largest parts"],
      rows: memory.processes.map { process in
        let largest = process.parts.sorted { $0.bytes > $1.bytes }.prefix(3)
          .filter { $0.bytes > 0 }.map { "\($0.name) \(Self.size($0.bytes))" }
        return [
          process.role, "\(process.count)", Self.size(process.resident),
          Self.size(process.resident - process.own), largest.joined(separator: ", "),
        ]
      }, leftColumns: 1)
    return table.lines + [
      "all processes together: \(Self.size(memory.total)), of that \(Self.size(memory.mapped)) "
        + "mapped files, which are shared and given back when memory is short",
      "a checkpoint: \(Self.size(memory.checkpoint)); disk for those that are kept, the one being "
        + "written and the best model: \(Self.size(memory.disk))",
    ]
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func megabytes(_ bytes: Double) -> String { String(format: "%.3f", bytes / 1e6) }

  private static func milliseconds(_ seconds: Double) -> String {
    String(format: "%.2f", seconds * 1000)
  }

  /// Such as `1.5 GiB`.
  package static func size(_ bytes: Int) -> String {
    let mebibytes = Double(bytes) / Double(1 << 20)
    return mebibytes < 1024
      ? String(format: "%.0f MiB", mebibytes) : String(format: "%.1f GiB", mebibytes / 1024)
  }
}
