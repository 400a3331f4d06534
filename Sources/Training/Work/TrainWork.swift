internal import Autodiff
internal import Datasets
internal import Messages
internal import Models
internal import Tables
internal import Tensors

/// The gradients of some shards in every step of one epoch.
///
/// Per version: pull the rows of all owned shards at once, record each shard, sum the reductions
/// over all shards of the run through a server, differentiate, push each shard's contribution.
/// Where rows may be stale nobody waits for the others' parts of the reductions: each shard makes
/// do with an estimate from its own, and says with its contribution how stale its rows were.
///
/// After the pushes were handed over the next batch is drawn and its pull planned; it goes out when
/// they are acknowledged, and says so to the servers, which go to the next version when all shards
/// are confirmed. A last pull, of the version that the epoch ends with, brings what the servers
/// summed of the shards' losses.
///
/// The task may begin anywhere in the epoch, and goes on from where the servers are: what it is
/// late for has been done by whoever had the shards before.
final class TrainWork: Work {
  private let engine: WorkerEngine
  private let generation: UInt64
  private let epoch: Int
  private let shards: [Int]
  private let versions: Range<UInt64>
  private let startVersion: UInt64
  private var version: UInt64
  private var steps: [ShardStep] = []
  private var union: [RowSelection] = []
  private var plan: PullPlan?
  private var parts: [[Double]] = []
  /// How many versions the rows at hand are behind.
  private var staleness: UInt64 = 0
  private var stalePushes: [Addressed<PushRequest>] = []
  /// Nil once they are written.
  private var initialValues: InitialValues?
  /// Where pulled rows are assembled; one tape's worth of buffers, reused every step.
  private let pulledTape: Tape
  private let shared: SharedForward

  /// - Throws: ``TrainingError`` if the epoch does not have the version to start from.
  init(
    engine: WorkerEngine, generation: UInt64, epoch: Int, firstVersion: UInt64,
    startVersion: UInt64, shards: [Int]
  ) throws {
    self.engine = engine
    self.generation = generation
    self.epoch = epoch
    self.shards = shards
    self.startVersion = startVersion
    version = startVersion
    let count = engine.sampler.stepsPerEpoch * engine.setting.roundsPerStep
    let (end, isTooLarge) = firstVersion.addingReportingOverflow(UInt64(count))
    guard !isTooLarge, firstVersion <= startVersion, startVersion <= end else {
      throw TrainingError(
        "Cannot train epoch \(epoch) from version \(startVersion) on: its \(count) versions begin "
          + "with \(firstVersion). All processes of a run must be of the same release.")
    }
    versions = firstVersion..<end
    pulledTape = engine.tape(shards.count)
    shared = SharedForward(tape: engine.tape(shards.count + 1))
  }

  var progress: UInt64 {
    (version - versions.lowerBound) / UInt64(engine.setting.roundsPerStep)
  }

  func advance(_ input: WorkInput) throws -> WorkOutput {
    switch input {
    case .begin:
      if startVersion == 0 {
        initialValues = InitialValues(engine: engine, generation: generation, shards: shards)
      }
      return try nextInitialValues() ?? nextPull()
    case .pulled(let replies) where version == versions.upperBound:
      return .done(try reports(replies))
    case .pulled(let replies):
      return try isExact ? compute(from: replies) : computeAlone(from: replies)
    case .reduced(let totals):
      return .push(try differentiate(totals: totals))
    case .sent where initialValues != nil:
      return try nextInitialValues() ?? nextPull()
    case .sent:
      version += 1
      return nextPull()
    case .versionGone(let present):
      return try goOn(from: present)
    }
  }

  private func compute(from replies: [PullReply]) throws -> WorkOutput {
    try record(replies)
    // With one shard the parts are the totals.
    if engine.setting.shardCount > 1, parts.contains(where: { !$0.isEmpty }) {
      return .reduce(zip(shards, parts).map { ReduceRequest(name: name($0), values: $1) })
    }
    return .push(try differentiate(totals: parts))
  }

  /// Where rows may be stale: without the other shards' parts of the reductions.
  private func computeAlone(from replies: [PullReply]) throws -> WorkOutput {
    let lowest = replies.map(\.version).min() ?? version
    // Whoever had the shards before has contributed everywhere.
    if lowest > version { return try goOn(from: lowest) }
    staleness = version - lowest
    try record(replies)
    return .push(try differentiate(totals: zip(steps, parts).map { $0.estimatedTotals($1) }))
  }

  private var isExact: Bool { engine.setting.consistency.isExact }

  /// Leaves out the versions that all servers have behind them.
  private func goOn(from present: UInt64) throws -> WorkOutput {
    guard version < present, present <= versions.upperBound else {
      throw TrainingError(
        "Cannot go on with epoch \(epoch): the servers are at version \(present), version "
          + "\(version) was asked for, and the epoch ends with \(versions.upperBound).")
    }
    version = present
    return nextPull()
  }

  /// The next block of initial values that data decides; nil when the servers have them all.
  private func nextInitialValues() throws -> WorkOutput? {
    let block = try initialValues?.next()
    if block == nil { initialValues = nil }
    return block.map { .push($0) }
  }

  private func nextPull() -> WorkOutput {
    let isLast = version == versions.upperBound
    steps = isLast ? [] : nextSteps()
    union = engine.model.tables.indices.map { table in
      .union(steps.map { $0.selections[table] })
    }
    let plan = PullPlan(
      union, version: version, acceptable: isExact || isLast ? nil : acceptableVersions,
      routing: engine.routing)
    self.plan = plan
    // Only of the version before the first nothing is known, unless it is over for everybody.
    let isConfirmed = isLast || version > startVersion
    return .pull(
      plan.requests(
        generation: generation, confirmed: isConfirmed ? shards.map(UInt32.init) : [],
        wantsReports: isLast))
  }

  /// A server may be ahead, because it has the contribution already that another lacks.
  private var acceptableVersions: ClosedRange<UInt64> {
    let oldest = engine.setting.consistency
      .oldestVersion(for: version, inEpochFrom: versions.lowerBound)
    return oldest...versions.upperBound
  }

  /// Draws the batches of the current version, in place of those before.
  private func nextSteps() -> [ShardStep] {
    pulledTape.reset()
    return shards.enumerated().map { index, shard in
      let tape = engine.tape(index)
      tape.reset()
      return ShardStep(engine: engine, tape: tape, context: context(shard: shard))
    }
  }

  /// Where the current version stands in the run.
  private func context(shard: Int) -> StepContext {
    let rounds = UInt64(engine.setting.roundsPerStep)
    let offset = version - versions.lowerBound
    return StepContext(
      seed: engine.setting.seed, epoch: epoch, step: Int(offset / rounds), shard: shard,
      isFinalRound: offset % rounds == rounds - 1)
  }

  /// The final vectors of the epoch's last forward pass, for models that rank with those; written
  /// by the owner of shard 0.
  private func staleFinal(_ pulled: [Matrix?]) throws -> [Addressed<PushRequest>] {
    guard case .whole(let final) = engine.model.backbone.final, final.isStale, shards.contains(0),
      version + 1 == versions.upperBound
    else { return [] }
    return try engine.pushes(
      ofFinal: final, parameters: pulled, context: context(shard: 0), generation: generation,
      version: version)
  }

  private func record(_ replies: [PullReply]) throws {
    guard let plan else { throw TrainingError("Rows came that were not asked for.") }
    let pulled = try plan.assemble(replies) { pulledTape.matrix(rows: $0, columns: $1) }
    shared.record(pulled, model: engine.model, context: context(shard: shards[0]))
    parts = steps.map { $0.record(pulled, union: union, shared: shared) }
    stalePushes = try staleFinal(pulled)
  }

  private func differentiate(totals: [[Double]]) throws -> [Addressed<PushRequest>] {
    guard totals.count == steps.count else {
      throw TrainingError("\(totals.count) totals came for \(steps.count) shards.")
    }
    var requests = stalePushes
    for (index, step) in steps.enumerated() {
      guard totals[index].count == parts[index].count else {
        throw TrainingError(
          "\(totals[index].count) totals came for \(parts[index].count) reductions of shard "
            + "\(step.shard).")
      }
      try step.differentiate(totals: totals[index], shared: shared)
      requests += try step.push().requests(
        name: name(step.shard), kind: .gradient, routing: engine.routing, sums: sums(of: step))
    }
    return requests
  }

  /// What a contribution says of itself.
  private func sums(of step: ShardStep) -> [String: Double] {
    guard !isExact else { return step.sums }
    return step.sums.merging(StalenessCounts(staleness).sums) { first, _ in first }
  }

  private func name(_ shard: Int) -> ContributionName {
    ContributionName(generation: generation, version: version, shard: UInt32(shard))
  }

  /// What the first server has summed of the task's shards over the epoch.
  private func reports(_ replies: [PullReply]) throws -> [UnitReport] {
    guard let plan else { throw TrainingError("Reports came that were not asked for.") }
    // There are no rows; but it must be the version that was asked for, from all servers.
    _ = try plan.assemble(replies) { pulledTape.matrix(rows: $0, columns: $1) }
    return try shards.map { shard in
      guard let report = replies[0].reports.first(where: { $0.unit == UInt32(shard) }) else {
        throw TrainingError(
          "Server 0 has no sums of shard \(shard) for epoch \(epoch), which it should have kept.")
      }
      return report
    }
  }
}
