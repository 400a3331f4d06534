import ArgumentParser
import CostModel
import Foundation
import Runtime
import Tensors

/// Prints what a run would cost.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Estimate messages, processor time, memory and disk of a run.",
    discussion: """
      From the sizes of the data, or from data that there is. Messages and memory follow from the \
      code that makes them; processor time is measured on small data on this machine, which takes \
      some seconds. docs/CostModel.md explains every formula.

        mrdib plan --data lfm2k --model freedom
        mrdib plan --users 10000000 --items 1000000 --interactions 100000000 --workers 2
        mrdib plan --users 1000000000 --items 10000000 --interactions 2000000000 \
      --workers 64 --servers 16 --shards 64 --machines 100 --scaling
      """)

  @OptionGroup var options: RunOptions

  @OptionGroup(title: "Data that there is not") var sizes: SizeOptions

  @Option(
    help: """
      Interactions in a step, over all shards together (default: the setting train_batch_size).
      """)
  var batchSize: Int?

  @OptionGroup(title: "The cluster") var network: NetworkOptions

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if options.data != nil, sizes.isGiven {
      throw ValidationError(
        "--data has the sizes already; leave --users, --items and --interactions "
          + "out, or --data.")
    }
    if options.data == nil, !sizes.isComplete {
      throw ValidationError("Name a data set with --data, or give --users and --items.")
    }
  }

  func run() throws {
    try reporting {
      let extra = batchSize.map {
        [
          RunRequest.Option(
            option: "--batch-size \($0)", key: "train_batch_size", value: "\($0)")
        ]
      }
      let request = options.request(extra ?? [])
      let threads = ComputingThreads(try request.resolve())
      Lanes.setCount(threads.perWorker)
      if !options.quiet { StandardError.write("measuring steps on small data …") }
      let estimate =
        try sizes.sizes.map { try RunEstimate(request, sizes: $0) }
        ?? RunEstimate(request, showsProgress: !options.quiet)
      let costs = try estimate.costs()
      let scaling =
        try network.scaling
        ? Scaling(
          estimate.size, estimate.calibration,
          threads: (threads.perWorker, threads.perServer),
          network: network.model(processes: estimate.size.workers + estimate.size.servers),
          program: estimate.program) : nil
      if json {
        return try StandardOutput.writeJSON(
          PlanOutput(costs: costs, scaling: scaling, fit: network.fit(costs)))
      }
      StandardOutput.write(costs.text)
      if let fit = network.fit(costs) { StandardOutput.write(fit.lines) }
      guard let scaling else { return }
      StandardOutput.write("")
      StandardOutput.write(scaling.lines)
    }
  }
}

/// The JSON of `mrdib plan`: the costs, and the clusters that were compared.
private struct PlanOutput: Encodable {
  let costs: RunCosts
  let scaling: Scaling?
  let fit: MachineFit?

  private enum Key: String, CodingKey { case scaling, fit }

  func encode(to encoder: any Encoder) throws {
    try costs.encode(to: encoder)
    var container = encoder.container(keyedBy: Key.self)
    try container.encodeIfPresent(scaling, forKey: .scaling)
    try container.encodeIfPresent(fit, forKey: .fit)
  }
}

/// Sizes of data that there is not.
struct SizeOptions: ParsableArguments {
  @Option(help: "Number of users (default: those of --data).") var users: Int?
  @Option(help: "Number of items (default: those of --data).") var items: Int?
  @Option(
    help: """
      Number of interactions, of which four of five are for training (default: ten per user).
      """)
  var interactions: Int?
  @Option(
    name: .customLong("feature"), parsing: .singleValue,
    help: ArgumentHelp(
      "A modality and its columns; repeatable (default: visual=64 and text=48).",
      valueName: "name=columns"))
  var features: [String] = []
  @Option(
    help: """
      How popular items are: the i-th has a share in proportion to i^-S; 0: all equally \
      (default: 1).
      """)
  var zipf: Double?

  private static let largest = 4_000_000_000

  var isGiven: Bool { users != nil || items != nil || interactions != nil }
  var isComplete: Bool { users != nil && items != nil }

  func validate() throws {
    for (option, value) in [("users", users), ("items", items)] {
      if let value, !(100...Self.largest).contains(value) {
        throw ValidationError("--\(option) is \(value); give 100 to \(Self.largest).")
      }
    }
    if let interactions, !(100...1_000_000_000_000).contains(interactions) {
      throw ValidationError("--interactions is \(interactions); give 100 to 1000000000000.")
    }
    if let zipf, !(0...3).contains(zipf) {
      throw ValidationError("--zipf is \(zipf); give a number from 0 to 3.")
    }
    _ = try modalities()
  }

  /// nil if no sizes are given.
  var sizes: RunEstimate.Sizes? {
    guard let users, let items, let modalities = try? modalities() else { return nil }
    return RunEstimate.Sizes(
      users: users, items: items, interactions: interactions ?? 10 * users,
      modalities: modalities, popularity: zipf == 0 ? .uniform : .zipf(exponent: zipf ?? 1))
  }

  private func modalities() throws -> [ModalitySize] {
    guard !features.isEmpty else {
      return [ModalitySize(name: "visual", columns: 64), ModalitySize(name: "text", columns: 48)]
    }
    return try features.map { text in
      let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, let columns = Int(parts[1]),
        (1...1_000_000).contains(columns)
      else {
        throw ValidationError(
          "--feature is '\(text)'; give a name and a number of columns, such as visual=128.")
      }
      return ModalitySize(name: String(parts[0]), columns: columns)
    }
  }
}

/// The machines of a cluster and what connects them.
struct NetworkOptions: ParsableArguments {
  @Flag(
    help: """
      Simulate clusters with 1, 2, 4, ... workers, up to --workers, with servers in proportion, \
      and print what limits each.
      """)
  var scaling = false

  @Option(help: "Machines of the cluster (default: one for each process).") var machines: Int?

  @Option(
    help: """
      Memory of a machine, GiB: says whether the processes fit into --machines of them (default: \
      it is not said).
      """)
  var machineMemory: Double?

  @Option(help: "Bandwidth of a machine in each direction, gigabits per second (default: 10).")
  var networkBandwidth: Double?

  @Option(help: "Time from one machine to another, microseconds (default: 50).")
  var networkLatency: Double?

  func validate() throws {
    if let machines, !(1...100_000).contains(machines) {
      throw ValidationError("--machines is \(machines); give 1 to 100000.")
    }
    if let machineMemory, !(0.001...1e6).contains(machineMemory) {
      throw ValidationError("--machine-memory is \(machineMemory); give 0.001 to 1000000.")
    }
    if let networkBandwidth, !(1e-6...1e6).contains(networkBandwidth) {
      throw ValidationError("--network-bandwidth is \(networkBandwidth); give 0.000001 to 1000000.")
    }
    if let networkLatency, !(0...1e7).contains(networkLatency) {
      throw ValidationError("--network-latency is \(networkLatency); give 0 to 10000000.")
    }
  }

  /// Whether the run fits into the machines; nil if their memory is not given.
  func fit(_ costs: RunCosts) -> MachineFit? {
    machineMemory.map {
      MachineFit(
        costs, on: MachineFit.Machine(memory: Int($0 * Double(1 << 30))), machines: machines ?? 1)
    }
  }

  func model(processes: Int) -> NetworkModel {
    NetworkModel(
      machines: machines ?? processes, latency: (networkLatency ?? 50) * 1e-6,
      bandwidth: (networkBandwidth ?? 10) * 1e9 / 8)
  }
}
