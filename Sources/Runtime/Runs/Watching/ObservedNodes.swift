import Coordinator
import Files
import Protocol

/// The workers and servers of a run under way, with what the coordinator's looks at them show:
/// throughput, lag, and since when each is in its state. A lost node is kept until another process
/// takes its rank.
struct ObservedNodes: Sendable {
  /// The most lost nodes that are kept.
  fileprivate static let lostLimit = 64
  /// Seconds over which throughput is averaged; evaluations count.
  fileprivate static let window = 15.0
  fileprivate static let sampleLimit = 20

  private struct Key: Hashable {
    var role: NodeRole
    var rank: UInt32
  }

  fileprivate struct Sample {
    var at: Double
    /// Steps of a worker, versions of a server, since the run began.
    var done: Double
    var cpuSeconds: Double?
  }

  fileprivate struct Node {
    var status: MemberStatus
    var state: String
    /// When the state began.
    var since: Double
    var seenAt: Double
    /// Shards of the batch that it trained last.
    var shards = 0
    var samples: [Sample] = []
    var lag: UInt64 = 0
    var note = ""
  }

  private let examplesPerStep: Double
  private let shards: UInt32
  private let heartbeat: Double
  private var nodes: [Key: Node] = [:]

  /// - Parameter heartbeat: seconds from one to the next.
  init(examplesPerStep: Double, shards: UInt32, heartbeat: Double) {
    self.examplesPerStep = examplesPerStep
    self.shards = shards
    self.heartbeat = heartbeat
  }

  // MARK: What happens

  /// - Parameter stepsBefore: of all epochs before the one under way.
  mutating func look(
    _ members: [MemberStatus], isTraining: Bool, stepsBefore: UInt64, at now: Double
  ) {
    for member in members {
      let key = Key(role: member.role, rank: member.rank)
      var node = nodes[key]
      if node?.status.incarnation != member.incarnation { node = nil }
      let state = state(of: member)
      var next = node ?? Node(status: member, state: state, since: now, seenAt: now)
      if next.state != state { (next.state, next.since) = (state, now) }
      next.status = member
      next.seenAt = now
      next.note = ""
      if isTraining, member.role == .worker, member.unitCount > 0 { next.shards = member.unitCount }
      next.add(
        sample(
          of: member, isTraining: isTraining, stepsBefore: stepsBefore,
          last: next.samples.last?.done, at: now))
      nodes[key] = next
    }
    setLags(isTraining: isTraining)
  }

  private func state(of member: MemberStatus) -> String {
    member.silence > max(2, 3 * heartbeat) ? "silent" : member.activity.rawValue
  }

  private func sample(
    of member: MemberStatus, isTraining: Bool, stepsBefore: UInt64, last: Double?, at now: Double
  ) -> Sample {
    // Between two tasks of training a worker makes no steps.
    let isTrained = isTraining && member.unitCount > 0
    let steps =
      isTrained ? Double(stepsBefore + member.taskProgress) : last ?? Double(stepsBefore)
    return Sample(
      at: now, done: member.role == .server ? Double(member.version) : steps,
      cpuSeconds: member.usage?.cpuSeconds)
  }

  /// How far each is behind the first of its role, beyond what different times of the heartbeats
  /// explain.
  private mutating func setLags(isTraining: Bool) {
    for role in [NodeRole.worker, .server] {
      let keys = nodes.keys.filter { key in
        guard key.role == role, let node = nodes[key], !node.isGone else { return false }
        return role == .server || (isTraining && node.status.unitCount > 0)
      }
      let done = keys.compactMap { nodes[$0]?.progress }
      for key in keys {
        guard let node = nodes[key] else { continue }
        let slack = (node.rate ?? 0) * heartbeat * 1.5
        let behind = Double((done.max() ?? 0) - node.progress) - slack
        nodes[key]?.lag = behind > 1 ? UInt64(behind) : 0
      }
    }
  }

  mutating func lose(_ role: NodeRole, _ rank: UInt32, _ how: String, at now: Double) {
    let key = Key(role: role, rank: rank)
    guard nodes[key] != nil else { return }
    nodes[key]?.state = how.hasPrefix("it left") ? "left" : "lost"
    nodes[key]?.since = now
    nodes[key]?.note = how.withoutControlCharacters()
    nodes[key]?.samples = []
    nodes[key]?.lag = 0
    let gone = nodes.filter { $0.value.isGone }
    if gone.count > Self.lostLimit, let oldest = gone.min(by: { $0.value.since < $1.value.since }) {
      nodes[oldest.key] = nil
    }
  }

  /// The run is over.
  mutating func end(at now: Double) {
    for key in nodes.keys where nodes[key]?.isGone == false {
      nodes[key]?.state = "left"
      nodes[key]?.since = now
      nodes[key]?.lag = 0
    }
  }

  // MARK: The table

  /// Servers before workers, by rank.
  ///
  /// - Parameter date: of a time on the monotonic clock.
  func table(at now: Double, date: (Double) -> String) -> [RunOverview.Node] {
    let keys = nodes.keys.sorted { left, right in
      (left.role == .server ? 0 : 1, left.rank) < (right.role == .server ? 0 : 1, right.rank)
    }
    return keys.compactMap { key in
      guard let node = nodes[key] else { return nil }
      let isServer = key.role == .server
      let share = Double(node.shards) / Double(max(1, shards))
      let status = node.status
      return RunOverview.Node(
        role: isServer ? "server" : "worker", rank: key.rank,
        name: status.name.sanitized(), host: status.host.sanitized(), process: status.processID,
        state: node.state, since: date(node.since),
        silentSeconds: node.isGone ? nil : status.silence + max(0, now - node.seenAt),
        units: node.isGone ? 0 : status.unitCount,
        perSecond: node.rate.map { isServer ? $0 : $0 * examplesPerStep * share },
        perSecondUnit: isServer ? "versions" : "examples", lag: node.lag,
        residentBytes: status.usage?.residentBytes, processors: node.processors,
        note: node.note)
    }
  }
}

extension ObservedNodes.Node {
  fileprivate var isGone: Bool { state == "lost" || state == "left" }

  /// Steps of the task under way, or the version.
  fileprivate var progress: UInt64 {
    status.role == .server ? status.version : status.taskProgress
  }

  fileprivate mutating func add(_ sample: ObservedNodes.Sample) {
    // A rollback sets versions back.
    if let last = samples.last, sample.done < last.done { samples = [] }
    samples.append(sample)
    samples.removeFirst(max(0, samples.count - ObservedNodes.sampleLimit))
    samples.removeAll { sample.at - $0.at > ObservedNodes.window }
  }

  /// Steps or versions per second; nil before there are two samples.
  fileprivate var rate: Double? {
    guard let first = samples.first, let last = samples.last, last.at > first.at else {
      return nil
    }
    return (last.done - first.done) / (last.at - first.at)
  }

  /// Processors in use on average.
  fileprivate var processors: Double? {
    guard let first = samples.first(where: { $0.cpuSeconds != nil }), let last = samples.last,
      let begin = first.cpuSeconds, let end = last.cpuSeconds, last.at > first.at
    else { return nil }
    return max(0, (end - begin) / (last.at - first.at))
  }
}
