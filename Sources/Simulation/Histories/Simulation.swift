import Coordinator
import Protocol
import Tables
import Tensors

/// Deterministic simulation: the nodes of coordinator, servers and workers that production runs,
/// with their real computation, in one thread, on a virtual clock, with faults that one seed
/// decides.
///
/// Checked after every event: the invariants that the state machines declare, for the coordinator
/// also from one state to the next, and from one coordinator to the next; that every version of
/// every server's tables has the rows of the undisturbed run, bit by bit, and every shard's
/// gradient once; that versions never decrease within a generation; that servers grant only
/// requests of their generation; that no request is answered more often than it arrived; that no
/// epoch is recorded twice; that the store accepts no record of a coordinator that another has
/// replaced; that a rollback uses the newest undamaged checkpoint; that the saved best model is
/// the one that was measured. Checked at
/// the end: that there is a best model, and that it, losses and metrics are those of the
/// undisturbed run.
///
/// With `ssp` and `async` the bits depend on which processes are slow. There the rows are not
/// compared, but no worker may receive rows that are staler than allowed, and at the end as many
/// gradients must have counted as in the undisturbed run.
package final class Simulation {
  private struct Setting {
    let problem: SimulationProblem
    let reference: Reference
    let ending: Ending
  }

  /// The results of a run.
  private struct Ending: Equatable {
    let best: SimulatedDisk.SavedModel?
    let bestValue: Double?
    let epochs: [[String: Double]]
    let evaluations: [[String: Double]]

    init(_ disk: SimulatedDisk) {
      best = disk.best
      bestValue = disk.run?.progress.best?.value
      epochs = (disk.run?.epochs ?? []).map(\.values)
      evaluations = (disk.run?.evaluations ?? []).map(\.metrics)
    }
  }

  private struct SettingName: Hashable {
    let kind: SimulationProblem.Kind
    let consistency: Consistency
    var length = SimulationProblem.Length.standard
  }

  private var settings: [SettingName: Setting] = [:]

  /// From here on the process multiplies matrices in one thread: these are so small that dividing
  /// the work takes longer, many times longer on a busy machine.
  package init() { BLAS.setThreadCount(1) }

  /// The history of a seed.
  ///
  /// - Parameters:
  ///   - consistency: how old rows may be.
  ///   - mutation: a rule that is broken on purpose.
  ///   - trace: receives a line for everything that happens.
  /// - Throws: an error when not even the undisturbed run works.
  package func run(
    seed: UInt64, consistency: SimulatedConsistency = .bsp, mutation: Mutation? = nil,
    trace: ((String) -> Void)? = nil
  ) throws -> SimulatedHistory {
    var dice = Dice(seed: seed)
    // Models that take longer are simulated less often.
    let kinds: [SimulationProblem.Kind] = [.bpr, .bpr, .bpr, .mrdib, .lightgcn, .freedom, .mmgcn]
    let kind = dice.element(of: kinds)
    let setting = try setting(SettingName(kind: kind, consistency: consistency.rule(seed: seed)))
    let shape = ClusterShape.random(&dice)
    let faults = FaultPlan.random(shape, dice: &dice)
    let cluster = SimulatedCluster(
      problem: setting.problem, shape: shape, reference: setting.reference, isReference: false,
      faults: faults, mutation: mutation, dice: dice, trace: trace.map(Self.lines))
    cluster.run()
    var violations = cluster.violations
    if violations.isEmpty {
      violations = Self.differences(
        Ending(cluster.disk), cluster.outcome, from: setting.ending,
        isExact: setting.problem.consistency.isExact)
    }
    return SimulatedHistory(
      seed: seed, mutation: mutation, problem: kind, consistency: consistency, shape: shape,
      faults: faults,
      violations: violations,
      eventCount: cluster.eventCount, seconds: cluster.now,
      generations: cluster.disk.run?.progress.generation ?? 0,
      terms: cluster.disk.run?.progress.term ?? 0, effects: cluster.effects)
  }

  /// Turns events into lines.
  private static func lines(_ trace: @escaping (String) -> Void) -> (Double, TraceEvent) -> Void {
    { time, event in trace("\((time * 1000).rounded() / 1000)  \(event)") }
  }

  /// A cluster with the given faults and no random ones, for tests.
  ///
  /// - Parameters:
  ///   - faults: at which time or milestone each happens.
  ///   - seed: decides how long messages and jobs take.
  ///   - trace: receives everything that happens, with its time.
  /// - Throws: an error when not even the undisturbed run works.
  package func cluster(
    _ kind: SimulationProblem.Kind, _ shape: ClusterShape,
    consistency: Consistency = .bulkSynchronous,
    length: SimulationProblem.Length = .standard, faults: FaultPlan = .none,
    mutation: Mutation? = nil, seed: UInt64 = 0,
    trace: ((Double, TraceEvent) -> Void)? = nil
  ) throws -> SimulatedCluster {
    let setting = try setting(
      SettingName(kind: kind, consistency: consistency, length: length))
    return SimulatedCluster(
      problem: setting.problem, shape: shape, reference: setting.reference, isReference: false,
      faults: faults, mutation: mutation, dice: Dice(seed: seed), trace: trace)
  }

  /// The violations in a cluster that has run to its end, and how its result differs from that of
  /// the undisturbed run; in sentences.
  package func differences(of cluster: SimulatedCluster) throws -> [String] {
    let setting = try setting(
      SettingName(
        kind: cluster.problem.kind, consistency: cluster.problem.consistency,
        length: cluster.problem.length))
    return cluster.violations
      + Self.differences(
        Ending(cluster.disk), cluster.outcome, from: setting.ending,
        isExact: cluster.problem.consistency.isExact)
  }

  private static func differences(
    _ ending: Ending, _ outcome: RunOutcome?, from expected: Ending, isExact: Bool
  ) -> [String] {
    guard outcome?.ending == .completed else {
      return ["the run ended with: \(outcome?.summary ?? "nothing")"]
    }
    guard isExact else { return countDifferences(ending, from: expected) }
    var found: [String] = []
    if ending.best != expected.best { found.append("the best model differs") }
    if ending.bestValue != expected.bestValue { found.append("the best value differs") }
    if ending.epochs != expected.epochs { found.append("the losses of the epochs differ") }
    if ending.evaluations != expected.evaluations { found.append("the metrics differ") }
    return found
  }

  /// Differences in what does not depend on the speed of processes.
  private static func countDifferences(_ ending: Ending, from expected: Ending) -> [String] {
    var found: [String] = []
    if ending.best == nil { found.append("there is no best model") }
    if ending.evaluations.count != expected.evaluations.count {
      found.append("there are \(ending.evaluations.count) evaluations")
    }
    let counts = ending.epochs.map { StalenessCounts($0)?.count }
    if counts != expected.epochs.map({ StalenessCounts($0)?.count }) {
      found.append("the numbers of gradients per epoch differ: \(counts)")
    }
    return found
  }

  private func setting(_ name: SettingName) throws -> Setting {
    if let setting = settings[name] { return setting }
    let problem = try SimulationProblem(
      name.kind, consistency: name.consistency, length: name.length)
    let reference = Reference(problem)
    let cluster = SimulatedCluster(
      problem: problem, shape: ClusterShape(workers: 1, servers: 1), reference: reference,
      isReference: true, faults: .none, mutation: nil, dice: Dice(seed: 0))
    cluster.run()
    guard cluster.violations.isEmpty, cluster.outcome?.ending == .completed else {
      throw SimulationError(
        description: "The undisturbed run of \(name.kind.rawValue) fails: "
          + (cluster.violations.first ?? cluster.outcome?.summary ?? "it does not end"))
    }
    let setting = Setting(problem: problem, reference: reference, ending: Ending(cluster.disk))
    settings[name] = setting
    return setting
  }
}

/// Why a simulation cannot run.
package struct SimulationError: Error, CustomStringConvertible {
  package let description: String
}
