import Datasets
import Protocol
import Recommenders
import Tables
import Tensors

/// Computes the gradients of some shards in every step of one epoch.
///
/// Per version: pull the rows of all owned shards at once, record each shard, sum the reductions
/// over all shards of the run through a server, differentiate, sum the gradients of propagated
/// matrices over all shards through the servers, continue the backward pass through the
/// propagation, push each shard's contribution. In `ssp` and `async` shards do not wait for others:
/// each uses an estimate of the reductions from its own part, continues its backward pass alone,
/// and its contribution reports how stale its rows were.
///
/// While the task waits for the rows of a version, it draws the batches of the next one and plans
/// their pull (``prepare()``), at most one version ahead. That pull leaves with the pushes; it
/// confirms the shards, and servers begin the next version when all shards are confirmed. So it
/// waits until the pushes are acknowledged, unless there is one server: that knows by itself which
/// contributions are on all servers. What was not prepared is drawn after the pushes. A last pull,
/// of the version after the epoch, returns the sums of the shards' losses.
///
/// The task may begin anywhere in the epoch, and skips to the version of the servers: earlier
/// versions were completed by the previous owner of the shards.
final class TrainWork: Work {
  private let engine: WorkerEngine
  private let generation: UInt64
  private let epoch: Int
  private let shards: [Int]
  private let versions: Range<UInt64>
  private let startVersion: UInt64
  private var version: UInt64
  private var steps: [ShardStep] = []
  /// The draw of the current version.
  private var current: VersionDraw?
  /// The draw of the next version, if it is made already.
  private var next: VersionDraw?
  private var parts: [[Double]] = []
  /// The sums that were requested and have not arrived.
  private var awaited: ReduceStage?
  /// How many versions the current rows are behind.
  private var staleness: UInt64 = 0
  private var stalePushes: [ServerRequest<PushRequest>] = []
  /// Nil once they were pushed.
  private var initialValues: InitialValues?
  private(set) var examples: UInt64 = 0
  /// Owns the matrices of pulled rows; its buffers are reused every step.
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
    let count = engine.stepsPerEpoch * engine.setting.roundsPerStep
    let (end, isTooLarge) = firstVersion.addingReportingOverflow(UInt64(count))
    guard !isTooLarge, firstVersion <= startVersion, startVersion <= end else {
      throw TrainingError(
        "Cannot train epoch \(epoch) from version \(startVersion) on: its \(count) versions begin "
          + "with \(firstVersion). Use the same release of mrdib on all machines.")
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
    case .reduced(let replies):
      return try continueStep(with: replies)
    case .sent where initialValues != nil:
      return try nextInitialValues() ?? nextPull()
    case .sent:
      finishVersion()
      return nextPull()
    case .versionSuperseded(let present):
      return try skip(to: present)
    }
  }

  private func compute(from replies: [PullReply]) throws -> WorkOutput {
    try record(replies)
    // With one shard the parts are the totals.
    if engine.setting.shardCount > 1, parts.contains(where: { !$0.isEmpty }) {
      awaited = .norms
      return .reduce(
        zip(shards, parts).map { shard, values in
          ServerRequest(
            server: 0, body: ReduceRequest(name: name(shard), stage: .norms, values: values))
        })
    }
    return try differentiate(totals: parts)
  }

  private func continueStep(with replies: [ReduceReply]) throws -> WorkOutput {
    let stage = awaited
    awaited = nil
    switch stage {
    case .norms: return try differentiate(totals: replies.map(\.values))
    case .propagated:
      // Only the first shard's requests asked for rows.
      let sums = try propagatedGradients.assemble(
        Array(replies.prefix(engine.routing.serverCount)), for: shared.propagated,
        make: shared.matrix)
      return push(try pushes(shared.gradients(seeding: sums)))
    case nil: throw TrainingError("Received sums that were not requested.")
    }
  }

  private var propagatedGradients: PropagatedGradients {
    PropagatedGradients(serverCount: engine.routing.serverCount)
  }

  /// For `ssp` and `async`: computes without the other shards' parts of the reductions.
  private func computeAlone(from replies: [PullReply]) throws -> WorkOutput {
    let lowest = replies.map(\.version).min() ?? version
    // All servers have passed this version, so the previous owner has contributed to all of them.
    if lowest > version { return try skip(to: lowest) }
    staleness = version - lowest
    try record(replies)
    return try differentiate(totals: zip(steps, parts).map { $0.estimatedTotals($1) })
  }

  private var isExact: Bool { engine.setting.consistency.isExact }

  /// Skips versions that all servers have passed.
  private func skip(to present: UInt64) throws -> WorkOutput {
    guard version < present, present <= versions.upperBound else {
      throw TrainingError(
        "Cannot continue epoch \(epoch): the servers are at version \(present), version "
          + "\(version) was requested, and the epoch ends with \(versions.upperBound).")
    }
    version = present
    return nextPull()
  }

  /// The next block of initial values that depend on data; nil when all were pushed.
  private func nextInitialValues() throws -> WorkOutput? {
    let block = try initialValues?.next()
    if block == nil { initialValues = nil }
    return block.map { .push($0) }
  }

  func prepare() {
    let following = version + 1
    guard following < versions.upperBound, next?.version != following else { return }
    next = draw(following)
  }

  /// Pushes, with the pull of the next version if that is planned already.
  private func push(_ requests: [ServerRequest<PushRequest>]) -> WorkOutput {
    guard next?.version == version + 1 else { return .push(requests) }
    finishVersion()
    // In a connection's order pushes come first. With another server there could be a contribution
    // that only one of them has.
    let isHeld = !isExact || engine.routing.serverCount > 1
    return .pushAndPull(requests, nextRequests(), isHeld: isHeld)
  }

  /// Counts the examples of the current version, and goes to the next one.
  private func finishVersion() {
    if context(version, shard: shards[0]).isFinalRound {
      examples += steps.reduce(0) { $0 + UInt64($1.batch.users.count) }
    }
    version += 1
  }

  private func nextPull() -> WorkOutput { .pull(nextRequests()) }

  /// Begins the current version, and requests its rows.
  private func nextRequests() -> [ServerRequest<PullRequest>] {
    let isLast = version == versions.upperBound
    let drawn = next?.version == version ? next : nil
    let draw = drawn ?? self.draw(version)
    next = nil
    current = draw
    begin(draw.shards)
    // This task has pushed every version since the first one. Before that, nothing is known of the
    // shards, unless the epoch is over, and so complete on all servers.
    let isConfirmed = isLast || version > startVersion
    return draw.plan.requests(
      generation: generation, confirmed: isConfirmed ? shards.map(UInt32.init) : [],
      wantsReports: isLast)
  }

  /// Draws the batches of a version; none after the epoch.
  private func draw(_ version: UInt64) -> VersionDraw {
    let isLast = version == versions.upperBound
    return VersionDraw(
      engine: engine, version: version,
      acceptable: isExact || isLast ? nil : acceptableVersions(of: version),
      contexts: isLast ? [] : shards.map { context(version, shard: $0) })
  }

  /// In `ssp` and `async` a server may be ahead: it has a contribution that another one still
  /// lacks.
  private func acceptableVersions(of version: UInt64) -> ClosedRange<UInt64> {
    let oldest = engine.setting.consistency
      .oldestVersion(for: version, inEpochFrom: versions.lowerBound)
    return oldest...versions.upperBound
  }

  /// Replaces the steps of the version before.
  private func begin(_ draws: [ShardDraw]) {
    pulledTape.reset()
    steps = draws.enumerated().map { index, draw in
      let tape = engine.tape(index)
      tape.reset()
      return ShardStep(
        draw, engine: engine, tape: tape, forwardTape: engine.tape(shards.count + 2 + index))
    }
  }

  /// The epoch, step and round of a version, for one shard.
  private func context(_ version: UInt64, shard: Int) -> StepContext {
    let rounds = UInt64(engine.setting.roundsPerStep)
    let offset = version - versions.lowerBound
    return StepContext(
      seed: engine.setting.seed, epoch: epoch, step: Int(offset / rounds), shard: shard,
      isFinalRound: offset % rounds == rounds - 1)
  }

  /// The final vectors of the epoch's last forward pass, for models that rank with them; the owner
  /// of shard 0 pushes them.
  private func staleFinal(_ pulled: [Matrix?]) throws -> [ServerRequest<PushRequest>] {
    guard case .whole(let final) = engine.model.backbone.final, final.isStale, shards.contains(0),
      version + 1 == versions.upperBound
    else { return [] }
    return try engine.pushes(
      ofFinal: final, parameters: pulled, context: context(version, shard: 0),
      generation: generation,
      version: version)
  }

  private func record(_ replies: [PullReply]) throws {
    guard let current else { throw TrainingError("Received rows that were not requested.") }
    let pulled = try current.plan.assemble(replies) { pulledTape.matrix(rows: $0, columns: $1) }
    let context = context(version, shard: shards[0])
    shared.record(pulled, model: engine.model) { tape, parameters in
      engine.model.propagate(on: tape, parameters: parameters, context: context)
    }
    parts = steps.map { $0.record(pulled, union: current.union, shared: shared) }
    stalePushes = try staleFinal(pulled)
  }

  /// Differentiates every shard with its totals. The backward pass through the propagation needs
  /// the gradients of all shards first, unless there is only one or none waits for others. Earlier
  /// rounds of a step do not update the model and need none.
  private func differentiate(totals: [[Double]]) throws -> WorkOutput {
    guard totals.count == steps.count else {
      throw TrainingError("Received \(totals.count) lists of totals for \(steps.count) shards.")
    }
    for (index, step) in steps.enumerated() {
      guard totals[index].count == parts[index].count else {
        throw TrainingError(
          "Received \(totals[index].count) totals for \(parts[index].count) reductions of shard "
            + "\(step.shard).")
      }
      try step.differentiate(totals: totals[index])
    }
    guard context(version, shard: shards[0]).isFinalRound, !shared.propagated.isEmpty else {
      return push(try pushes())
    }
    guard isExact, engine.setting.shardCount > 1 else {
      for step in steps { step.continueBackward(through: shared) }
      return push(try pushes())
    }
    awaited = .propagated
    return .reduce(
      steps.enumerated().flatMap { index, step in
        propagatedGradients.requests(
          step.propagated, name: name(step.shard), wantsRows: index == 0)
      })
  }

  /// The contributions of all shards.
  ///
  /// - Parameter sharedGradients: of all shards together, by table; empty where each shard has its
  ///   own.
  private func pushes(_ sharedGradients: [Matrix?] = []) throws -> [ServerRequest<PushRequest>] {
    try stalePushes
      + steps.flatMap { step in
        try step.push(sharedGradients).requests(
          name: name(step.shard), kind: .gradient, routing: engine.routing, sums: sums(of: step))
      }
  }

  /// The sums that are pushed with a contribution.
  private func sums(of step: ShardStep) -> [String: Double] {
    guard !isExact else { return step.sums }
    return step.sums.merging(StalenessCounts(staleness).sums) { first, _ in first }
  }

  private func name(_ shard: Int) -> ContributionName {
    ContributionName(generation: generation, version: version, shard: UInt32(shard))
  }

  /// Server 0's sums of the task's shards over the epoch.
  private func reports(_ replies: [PullReply]) throws -> [UnitReport] {
    guard let current else { throw TrainingError("Received reports that were not requested.") }
    // There are no rows, but this checks that all servers have reached the version.
    _ = try current.plan.assemble(replies) { pulledTape.matrix(rows: $0, columns: $1) }
    return try shards.map { shard in
      guard let report = replies[0].reports.first(where: { $0.unit == UInt32(shard) }) else {
        throw TrainingError(
          "Server 0 has no sums of shard \(shard) for epoch \(epoch), which it should have kept.")
      }
      return report
    }
  }
}
