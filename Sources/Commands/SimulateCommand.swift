import ArgumentParser
import Foundation
import Runtime
import Simulation

/// Runs simulated clusters with faults; used by `scripts/simulate`.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Simulate clusters with faults, and compare their results with undisturbed runs.",
    discussion: """
      Every seed is one history: a small run whose processes, network and disks fail at times that \
      the seed determines. In bsp each must end in the bits of the undisturbed run; in ssp and \
      async each gradient must count once and come from rows that are new enough. Seeds that fail \
      are printed with the command that repeats them, and the exit code is 1.
      """,
    shouldDisplay: false)

  @Option(help: "The number of histories to run.")
  var seeds: UInt64 = 1000

  @Option(help: "The first seed.")
  var first: UInt64 = 0

  @Option(help: "Run this seed only (default: none, all --seeds).")
  var seed: UInt64?

  @Flag(help: "Print every event.")
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
      Break a rule of the protocol on purpose, which must be detected: \
      \(Mutation.allCases.map(\.rawValue).joined(separator: ", ")) (default: none).
      """)
  var mutation: Mutation?

  /// Leaves room to count upwards from any seed.
  private static let largestSeed: UInt64 = 1 << 62

  func validate() throws {
    guard (1...Self.largestSeed).contains(seeds) else {
      throw ValidationError(
        "--seeds is \(seeds); expected a number from 1 to \(Self.largestSeed).")
    }
    for (option, value) in [("first", first), ("seed", seed ?? 0)] where value > Self.largestSeed {
      throw ValidationError(
        "--\(option) is \(value); expected a seed of at most \(Self.largestSeed).")
    }
  }

  func run() throws {
    try reporting {
      let simulation = Simulation()
      let start = Date()
      var summary = SimulationSummary()
      for seed in seed.map({ $0..<$0 + 1 }) ?? first..<first + seeds {
        let history = try simulation.run(
          seed: seed, consistency: consistency, mutation: mutation,
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

extension Mutation: ExpressibleByArgument {}
extension SimulatedConsistency: ExpressibleByArgument {}
