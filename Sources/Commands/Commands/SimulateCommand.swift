import ArgumentParser
import Foundation
import Runtime
import Simulation

/// Looks at histories of simulated clusters; behind `scripts/simulate`.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Simulate clusters in which things go wrong, and compare what they end in.",
    discussion: """
      Every seed is a history: a small run whose processes, network and disks fail at moments that \
      the seed decides. Each must end in the bits of the undisturbed run, or, where rows may be \
      stale, have counted the same gradients from rows that are new enough. Seeds whose history \
      does not are printed, with the command that shows it again, and the exit code is 1.
      """,
    shouldDisplay: false)

  @Option(help: "How many histories to look at.")
  var seeds: UInt64 = 1000

  @Option(help: "The first seed.")
  var first: UInt64 = 0

  @Option(help: "Look at this seed alone.")
  var seed: UInt64?

  @Flag(help: "Print everything that happens.")
  var trace = false

  @Flag(help: "Print in how many histories each kind of fault took effect.")
  var statistics = false

  @Option(
    help: """
      How old rows may be: \
      \(SimulatedConsistency.allCases.map(\.rawValue).joined(separator: ", ")).
      """)
  var consistency = SimulatedConsistency.bsp

  @Option(
    help: """
      Break a rule of the protocol on purpose: \
      \(Sabotage.allCases.map(\.rawValue).joined(separator: ", ")).
      """)
  var sabotage: Sabotage?

  /// Histories are named by numbers that can be counted up.
  private static let largestSeed: UInt64 = 1 << 62

  func validate() throws {
    guard (1...Self.largestSeed).contains(seeds) else {
      throw ValidationError("--seeds is \(seeds); look at 1 history at least.")
    }
    for (option, value) in [("first", first), ("seed", seed ?? 0)] where value > Self.largestSeed {
      throw ValidationError("--\(option) is \(value); seeds go up to \(Self.largestSeed).")
    }
  }

  func run() throws {
    try reporting {
      let simulation = Simulation()
      let start = Date()
      var summary = SimulationSummary()
      for seed in seed.map({ $0..<$0 + 1 }) ?? first..<first + seeds {
        let history = try simulation.run(
          seed: seed, consistency: consistency, sabotage: sabotage,
          trace: trace ? { StandardOutput.write($0) } : nil)
        summary.add(history)
        if let failure = history.failure { StandardOutput.write(failure) }
      }
      StandardOutput.write(
        "\(summary.line); took \(Int(Date().timeIntervalSince(start).rounded())) s")
      if statistics { StandardOutput.write(summary.statistics) }
      if !summary.failedSeeds.isEmpty { throw ArgumentParser.ExitCode.failure }
    }
  }
}

extension Sabotage: ExpressibleByArgument {}
extension SimulatedConsistency: ExpressibleByArgument {}
