internal import Autodiff
internal import Datasets
internal import Messages
internal import Models
internal import Tensors

/// The gradients of some shards in every step of one epoch.
///
/// Per version: pull the rows of all owned shards at once, record each shard, sum the reductions
/// over all shards of the run through a server, differentiate, push each shard's contribution.
/// After the pushes were handed over the next batch is drawn and its pull goes out; the servers
/// answer it as soon as they have the version.
final class TrainWork: Work {
  private let engine: WorkerEngine
  private let epoch: Int
  private let shards: [Int]
  private let versions: Range<UInt64>
  private let firstVersion: UInt64
  private var version: UInt64
  private var steps: [ShardStep] = []
  private var union: [RowSelection] = []
  private var plan: PullPlan?
  private var parts: [[Double]] = []
  private var sums: [[String: Double]]
  private var stalePushes: [Addressed<PushRequest>] = []
  private var initialValues: InitialValues?
  /// Where pulled rows are assembled; one tape's worth of buffers, reused every step.
  private let pulledTape: Tape
  private let shared: SharedForward

  init(engine: WorkerEngine, epoch: Int, firstVersion: UInt64, shards: [Int]) {
    self.engine = engine
    self.epoch = epoch
    self.shards = shards
    self.firstVersion = firstVersion
    version = firstVersion
    let count = engine.sampler.stepsPerEpoch * engine.setting.roundsPerStep
    versions = firstVersion..<firstVersion + UInt64(count)
    sums = shards.map { _ in [:] }
    pulledTape = engine.tape(shards.count)
    shared = SharedForward(tape: engine.tape(shards.count + 1))
  }

  var progress: UInt64 { (version - firstVersion) / UInt64(engine.setting.roundsPerStep) }

  func advance(_ input: WorkInput) throws -> WorkOutput {
    switch input {
    case .begin:
      initialValues = InitialValues(engine: engine, version: version, shards: shards)
      return try nextInitialValues() ?? nextPull()
    case .pulled(let replies):
      try record(replies)
      // With one shard the parts are the totals.
      if engine.setting.shardCount > 1, parts.contains(where: { !$0.isEmpty }) {
        return .reduce(zip(shards, parts).map { ReduceRequest(name: name($0), values: $1) })
      }
      return .push(try differentiate(totals: parts))
    case .reduced(let totals):
      return .push(try differentiate(totals: totals))
    case .sent where steps.isEmpty:
      return try nextInitialValues() ?? nextPull()
    case .sent:
      version += 1
      guard versions.contains(version) else { return .done(reports()) }
      return nextPull()
    }
  }

  /// The next block of initial values that data decides; nil when the servers have them all.
  private func nextInitialValues() throws -> WorkOutput? {
    try initialValues?.next().map { .push($0) }
  }

  private func nextPull() -> WorkOutput {
    pulledTape.reset()
    steps = shards.enumerated().map { index, shard in
      let tape = engine.tape(index)
      tape.reset()
      return ShardStep(engine: engine, tape: tape, context: context(shard: shard))
    }
    union = engine.model.tables.indices.map { table in
      .union(steps.map { $0.selections[table] })
    }
    let plan = PullPlan(union, version: version, routing: engine.routing)
    self.plan = plan
    return .pull(plan.requests(generation: engine.setting.generation))
  }

  /// Where the current version stands in the run.
  private func context(shard: Int) -> StepContext {
    let rounds = UInt64(engine.setting.roundsPerStep)
    let offset = version - firstVersion
    return StepContext(
      seed: engine.setting.seed, epoch: epoch, step: Int(offset / rounds), shard: shard,
      isFinalRound: offset % rounds == rounds - 1)
  }

  /// The final vectors of the epoch's last forward pass, for models that rank with those; written
  /// by the owner of shard 0.
  private func staleFinal(_ pulled: [Matrix?]) throws -> [Addressed<PushRequest>] {
    guard case .whole(let final) = engine.model.backbone.final, final.isStale, shards[0] == 0,
      version + 1 == versions.upperBound
    else { return [] }
    return try engine.pushes(
      ofFinal: final, parameters: pulled, context: context(shard: 0), version: version)
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
    // Before the gradients: those may complete the version.
    var requests = stalePushes
    for (index, step) in steps.enumerated() {
      guard totals[index].count == parts[index].count else {
        throw TrainingError(
          "\(totals[index].count) totals came for \(parts[index].count) reductions of shard "
            + "\(step.shard).")
      }
      try step.differentiate(totals: totals[index], shared: shared)
      requests += try step.push().requests(
        name: name(step.shard), kind: .gradient, routing: engine.routing)
      addReport(index, step)
    }
    return requests
  }

  private func name(_ shard: Int) -> ContributionName {
    ContributionName(
      generation: engine.setting.generation, version: version, shard: UInt32(shard))
  }

  private func addReport(_ index: Int, _ step: ShardStep) {
    let rounds = UInt64(engine.setting.roundsPerStep)
    guard (version - firstVersion) % rounds == rounds - 1 else { return }
    for (name, value) in step.loss.shares() { sums[index]["loss.\(name)", default: 0] += value }
    for (name, value) in step.loss.statistics {
      sums[index]["stat.\(name)", default: 0] += value
    }
  }

  private func reports() -> [UnitReport] {
    zip(shards, sums).map { UnitReport(unit: UInt32($0), sums: $1) }
  }
}
