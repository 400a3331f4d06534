import Checkpoints
import Foundation
import Logging
import Protocol
import Synchronization
import Transport

/// A server's side of checkpoints that are kept on two servers' disks: sends its own files to
/// another server, and fetches what a new disk lacks.
///
/// Methods block, so they are called on queues; ``learn(_:of:)`` and ``begin(_:)`` do not.
final class CheckpointCopies: Sendable {
  private struct State {
    /// The newest that is known.
    var generation: UInt64 = 0
    /// Of all servers, by rank; empty until all have joined.
    var endpoints: [String] = []
    /// The newest generation whose servers are all on one host, as the log says.
    var warned: UInt64 = 0
    /// The folder of all runs that a coordinator asked about.
    var inspected: String?
  }

  private let folder: String?
  private let security: Security
  private let state = Mutex(State())
  private let logger = Logger(label: "mrdib.server")

  /// - Parameters:
  ///   - folder: this machine's folder for the checkpoints of all runs; nil: the run's.
  ///   - security: of connections to other servers.
  init(folder: String?, security: Security) {
    self.folder = folder
    self.security = security
  }

  /// A generation begins: what is under way for an earlier one ends.
  func begin(_ generation: UInt64) {
    state.withLock {
      guard generation > $0.generation else { return }
      $0.generation = generation
      $0.endpoints = []
    }
  }

  /// All servers of a generation have joined.
  func learn(_ endpoints: [String], of generation: UInt64) {
    state.withLock {
      guard generation >= $0.generation else { return }
      $0.generation = generation
      $0.endpoints = endpoints
    }
  }

  /// The checkpoints on this machine's disk.
  func store(of welcome: Welcome) -> CheckpointStore {
    CheckpointStore(
      folder: folder.map { "\($0)/\(welcome.runID)" } ?? welcome.checkpoints?.folder ?? "")
  }

  private func isCurrent(_ welcome: Welcome) -> Bool {
    state.withLock { $0.generation == welcome.generation }
  }

  /// Waits until the addresses of all servers are known. The coordinator ends a run whose servers
  /// do not join in time.
  private func endpoints(of welcome: Welcome) throws(CheckpointError) -> [String] {
    while isCurrent(welcome) {
      let endpoints = state.withLock { $0.endpoints }
      if !endpoints.isEmpty { return endpoints }
      usleep(20_000)
    }
    throw CheckpointError(.inputOutput, "Generation \(welcome.generation) has ended.")
  }

  // MARK: Copies

  /// Sends a file, which is on this disk, to another server, and returns when it is on that disk.
  ///
  /// - Throws: `CheckpointError` with the cause.
  func send(_ shard: CheckpointShard, of welcome: Welcome) throws {
    let endpoints = try endpoints(of: welcome)
    let file = CopiedFile(shard, serverCount: Int(welcome.serverCount))
    let store = store(of: welcome)
    let target = target(among: endpoints, of: welcome)
    let copies = OutgoingCopies(
      [.init(file: file, isPerhapsThere: false) { try store.piece(of: file, at: $0) }],
      runID: welcome.runID)
    do {
      try exchange(with: endpoints[target], of: welcome, copies.next)
    } catch {
      throw CheckpointError(
        .inputOutput,
        "The copy of '\(store.storage.path(of: file.path))' on server \(target) was not made: "
          + "\(error)")
    }
  }

  /// Sends this server's file of the checkpoint that a generation began with, if the other server
  /// has lost it: until the next checkpoint there would be one copy only.
  func sendAgain(_ restored: RestoredCheckpoint, of welcome: Welcome) {
    do {
      let store = store(of: welcome)
      let manifest = try CheckpointReader.manifest(restored, in: store, runID: welcome.runID)
      // Where the number of servers has changed, all of them have fetched all files.
      guard manifest.serverCount == Int(welcome.serverCount) else { return }
      let file = CopiedFile(manifest, rank: Int(welcome.rank))
      let endpoints = try endpoints(of: welcome)
      let copies = OutgoingCopies(
        [.init(file: file, isPerhapsThere: true) { try store.piece(of: file, at: $0) }],
        runID: welcome.runID)
      try exchange(with: endpoints[target(among: endpoints, of: welcome)], of: welcome, copies.next)
    } catch {
      guard isCurrent(welcome) else { return }
      logger.warning(
        """
        until the next checkpoint there may be one copy only of this server's rows of \
        '\(restored.manifest)': \(error)
        """)
    }
  }

  /// The server of the next rank on another host, where there is one.
  private func target(among endpoints: [String], of welcome: Welcome) -> Int {
    let count = endpoints.count
    let rank = Int(welcome.rank)
    let others = (1..<max(2, count)).map { (rank + $0) % count }
    let own = Self.host(of: endpoints[rank % count])
    if let other = others.first(where: { Self.host(of: endpoints[$0]) != own }) { return other }
    let isNew = state.withLock { state in
      defer { state.warned = welcome.generation }
      return state.warned != welcome.generation
    }
    if isNew {
      logger.warning(
        """
        all servers are on one host: both copies of a checkpoint file are lost with it; start \
        servers on other machines
        """)
    }
    return others[0]
  }

  /// nil: this machine.
  private static func host(of endpoint: String) -> String? {
    guard case .tcp(let host, _)? = (try? Endpoint(endpoint))?.kind else { return nil }
    return host
  }

  private func exchange(
    with endpoint: String, of welcome: Welcome,
    _ next: @escaping (CopyReply?) throws -> CopyRequest?
  ) throws {
    try CopyExchange(
      endpoint: endpoint, security: security, isWanted: { [self] in isCurrent(welcome) }
    ).run(next)
  }

  // MARK: Restoring

  /// The checkpoint that a generation begins with, once this disk has what the server needs of it:
  /// its own file, or those of all servers if their number has changed.
  ///
  /// - Throws: `CheckpointError` with the causes if no server has an undamaged file.
  func reader(
    of restored: RestoredCheckpoint, for welcome: Welcome
  ) throws -> CheckpointReader {
    let store = store(of: welcome)
    let manifest = try CheckpointReader.manifest(restored, in: store, runID: welcome.runID)
    let rank = Int(welcome.rank)
    let isSameCount = manifest.serverCount == Int(welcome.serverCount)
    let needed = isSameCount ? rank..<rank + 1 : 0..<manifest.serverCount
    for rank in needed {
      let file = CopiedFile(manifest, rank: rank)
      if try !store.holds(file) { try fetch(file, ofRank: rank, into: store, for: welcome) }
    }
    try store.keep(manifest)
    return try CheckpointReader(manifest, in: store, ranks: needed)
  }

  private func fetch(
    _ file: CopiedFile, ofRank rank: Int, into store: CheckpointStore, for welcome: Welcome
  ) throws {
    let endpoints = try endpoints(of: welcome)
    var problems: [String] = []
    // The copy is most likely on the server of the next rank.
    for step in 1...endpoints.count {
      let holder = (rank + step) % endpoints.count
      guard holder != Int(welcome.rank) else { continue }
      do {
        try fetch(file, into: store, from: endpoints[holder], for: welcome)
        logger.info("fetched '\(file.path)' from server \(holder)")
        return
      } catch {
        problems.append("server \(holder): \(error)")
      }
    }
    throw CheckpointError(
      .missing,
      "No server has an undamaged '\(file.path)': \(problems.joined(separator: "; ")) Start the "
        + "servers on the machines whose disks have it.")
  }

  private func fetch(
    _ file: CopiedFile, into store: CheckpointStore, from endpoint: String, for welcome: Welcome
  ) throws {
    try CopyExchange(
      endpoint: endpoint, security: security, isWanted: { [self] in isCurrent(welcome) }
    ).fetch(file, into: store, runID: welcome.runID)
  }

  // MARK: A coordinator's lost disk

  /// What is on this machine's disk. Files that are asked for are read completely.
  ///
  /// - Returns: the report with what was found.
  func inspect(_ question: DiskQuestion, _ report: DiskReport) -> DiskReport {
    var report = report
    let folder = folder ?? question.folder
    state.withLock { $0.inspected = folder }
    guard question.runID.isEmpty else {
      report.rows = inspectedStore(of: question.runID)?.heldRows(of: question.checkpoints) ?? []
      return report
    }
    for run in CheckpointStore.runs(in: folder).prefix(WireLimits.standard.heldRecords) {
      let store = CheckpointStore(folder: "\(folder)/\(run)")
      guard let names = try? store.storage.names(), !names.isEmpty else { continue }
      report.generation = max(report.generation, names.map(\.generation).max() ?? 0)
      if let held = store.heldRecords(of: run) { report.records.append(held) }
    }
    return report
  }

  /// The checkpoints of a run on this machine's disk, once it was inspected; nil before, and for
  /// what cannot be a run's id.
  func inspectedStore(of runID: String) -> CheckpointStore? {
    guard !runID.isEmpty, runID != ".", runID != "..", !runID.contains("/") else { return nil }
    return state.withLock { $0.inspected }.map { CheckpointStore(folder: "\($0)/\(runID)") }
  }
}

extension CheckpointStore {
  /// The files with rows that are here, of some checkpoints.
  fileprivate func heldRows(of checkpoints: [DiskQuestion.Checkpoint]) -> [HeldRows] {
    checkpoints.flatMap { checkpoint in
      rowsFiles(
        of: CheckpointName(generation: checkpoint.generation, version: checkpoint.version)
      ).map {
        HeldRows(
          generation: checkpoint.generation, version: checkpoint.version, rank: $0.rank,
          digest: $0.digest)
      }
    }
  }

  /// The newest copy of a run's records.
  fileprivate func heldRecords(of run: String) -> HeldRecords? {
    guard let (records, file) = latestRecords(), records.runID == run else { return nil }
    return HeldRecords(
      runID: run, generation: file.name.generation, version: file.name.version,
      byteCount: UInt64(file.byteCount), digest: file.digest,
      configurationDigest: records.configurationDigest, dataDigest: records.dataDigest,
      epochsFinished: records.epochsFinished, isOver: isOver)
  }
}
