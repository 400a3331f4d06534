import Protocol

/// The search for the newest checkpoint of which every file is on the disk of some server, where
/// servers have disks of their own. Every server is asked what it has.
///
/// A file that no server has may be on a machine that is still starting. So an older checkpoint is
/// taken only after some time with all servers.
struct HolderSearch: Sendable, Equatable {
  /// The newest first; at least one.
  private let checkpoints: [ListedCheckpoint]
  private var reports: [NodeID: Set<HeldRows>] = [:]
  /// Since when all servers have answered, and a file of the newest checkpoint is missing.
  private var lackingSince: Double?

  /// - Returns: nil if there is no checkpoint.
  init?(_ checkpoints: [ListedCheckpoint]) {
    guard !checkpoints.isEmpty else { return nil }
    self.checkpoints = checkpoints
  }

  /// The question to a server, unless it has answered.
  func question(to node: NodeID, in run: RunContext) -> [CoordinatorAction] {
    guard run.members[node]?.role == .server, reports[node] == nil else { return [] }
    let folder = run.plan.checkpoints?.folder ?? ""
    // The plan has the folder of the run, which is a part of the one of all runs.
    let part = "/\(run.plan.runID)"
    let question = DiskQuestion(
      folder: folder.hasSuffix(part) ? String(folder.dropLast(part.count)) : folder,
      runID: run.plan.runID, checkpoints: checkpoints.map(\.name))
    return [.send(.inspect(question), to: node)]
  }

  mutating func take(_ report: DiskReport, from node: NodeID) { reports[node] = Set(report.rows) }

  /// What to resume from, once that is known.
  ///
  /// - Returns: the checkpoint, and if it is not the newest, a sentence about it; nil to wait.
  mutating func choose(
    in run: RunContext, at now: Double
  ) -> (checkpoint: ListedCheckpoint, warning: String?)? {
    let servers = run.members.servers
    let answers = servers.compactMap { reports[$0] }
    guard servers.count == Int(run.plan.serverCount), answers.count == servers.count else {
      lackingSince = nil
      return nil
    }
    let held = answers.reduce(into: Set<HeldRows>()) { $0.formUnion($1) }
    let found = checkpoints.firstIndex { $0.rows.allSatisfy(held.contains) }
    if found == 0 { return (checkpoints[0], nil) }
    let since = lackingSince ?? now
    lackingSince = since
    guard let found, now - since >= patience(in: run) else { return nil }
    return (checkpoints[found], warning(held, found))
  }

  private func patience(in run: RunContext) -> Double { 2 * run.plan.timing.heartbeatTimeout }

  // MARK: Messages

  private func lacking(_ held: Set<HeldRows>) -> String {
    let ranks = checkpoints[0].rows.filter { !held.contains($0) }.map { "\($0.rank)" }
    return "no server has an undamaged file with the rows of server "
      + "\(ranks.joined(separator: ", ")) of the newest checkpoint "
      + "'\(checkpoints[0].restored.manifest)'"
  }

  private func warning(_ held: Set<HeldRows>, _ found: Int) -> String {
    "\(lacking(held)); the run resumes from the older '\(checkpoints[found].restored.manifest)' "
      + "and trains again what came after it."
  }

  /// Why the run fails when the search has taken as long as it may.
  func failure(after timeout: Double, in run: RunContext) -> RunFailure {
    let answers = run.members.servers.compactMap { reports[$0] }
    let held = answers.reduce(into: Set<HeldRows>()) { $0.formUnion($1) }
    let problem =
      answers.count < Int(run.plan.serverCount)
      ? "\(answers.count) of \(run.plan.serverCount) servers have said which files they have"
      : "\(lacking(held)), nor all files of an older one"
    return RunFailure(
      kind: .checkpointsUnreadable,
      message: "Cannot resume run '\(run.plan.runID)': after \(timeout.inSeconds), \(problem); "
        + "start the servers on the machines whose disks have them.")
  }
}
