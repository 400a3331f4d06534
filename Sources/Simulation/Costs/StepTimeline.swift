/// Simulates the messages of some versions of the tables on a virtual clock: when each is sent,
/// received and handled.
///
/// - A message occupies the way out of its machine and the way into the receiver's for bytes /
///   bandwidth each, one message after the other, and takes the latency in between. Messages within
///   a machine take no time.
/// - A server handles one message at a time. It answers a pull when all shards have confirmed the
///   version before, and a reduction when all shards have sent theirs.
/// - A worker pulls when its pushes are acknowledged, and computes when all servers have answered.
///   With a reduction it computes half of its time before and half after it.
///
/// Left out: the order in which a machine would share its bandwidth among messages, lost messages,
/// and variation of times.
package struct StepTimeline {
  private enum Message {
    case pull, pulled, push, pushed, reduce, reduced

    var isReply: Bool {
      switch self {
      case .pulled, .pushed, .reduced: true
      case .pull, .push, .reduce: false
      }
    }
  }

  private enum Event {
    /// At its receiver.
    case arrived(Message, worker: Int, server: Int)
    case handled(Message, worker: Int, server: Int)
    /// The computation before a push, or before a reduction.
    case computed(worker: Int, isFirstHalf: Bool)
  }

  private let costs: ClusterCosts
  private var clock = VirtualClock<Event>()
  private var sendingUntil: [Double]
  private var receivingUntil: [Double]
  private var sending: [Double]
  private var receiving: [Double]
  private var servingUntil: [Double]
  private var serving: [Double]
  private var computing: [Double]
  /// Replies that each worker waits for.
  private var awaited: [Int]
  /// Pulls, and reductions, that wait at each server.
  private var pulls: [[Int]]
  private var reductions: [[Int]]
  private var versions: [Int]

  private init(_ costs: ClusterCosts) {
    self.costs = costs
    let machines = max(1, costs.machines)
    sendingUntil = Array(repeating: 0, count: machines)
    receivingUntil = sendingUntil
    sending = sendingUntil
    receiving = sendingUntil
    servingUntil = Array(repeating: 0, count: costs.servers)
    serving = servingUntil
    computing = Array(repeating: 0, count: costs.workers)
    awaited = Array(repeating: 0, count: costs.workers)
    versions = awaited
    pulls = Array(repeating: [], count: costs.servers)
    reductions = pulls
  }

  /// - Parameter versions: how many are simulated after the first, which fills the pipes.
  /// - Precondition: there are workers and servers, and the bandwidth is above 0.
  package static func timing(_ costs: ClusterCosts, versions: Int = 4) -> StepTiming {
    precondition(costs.workers > 0 && costs.servers > 0 && costs.bandwidth > 0 && versions > 0)
    var timeline = StepTimeline(costs)
    return timeline.run(versions: versions)
  }

  private mutating func run(versions end: Int) -> StepTiming {
    for worker in 0..<costs.workers { ask(.pull, worker, times: 1) }
    var begun: (time: Double, busy: [[Double]])?
    while let event = clock.next() {
      handle(event)
      let done = versions.min() ?? 0
      if done == 1, begun == nil { begun = (clock.now, busy) }
      if done > end { break }
    }
    guard let begun else { preconditionFailure("no version of the tables was completed") }
    let time = max(clock.now - begun.time, .leastNonzeroMagnitude)
    let uses = zip(busy, begun.busy).map { now, before in
      zip(now, before).map { ($0 - $1) / time }.max() ?? 0
    }
    return StepTiming(
      stepSeconds: time / Double(end), workerUse: uses[0], serverUse: uses[1], sendingUse: uses[2],
      receivingUse: uses[3])
  }

  private var busy: [[Double]] { [computing, serving, sending, receiving] }

  // MARK: Events

  private mutating func handle(_ event: Event) {
    switch event {
    case .arrived(let message, let worker, let server) where message.isReply:
      received(message, worker: worker, server: server)
    case .arrived(let message, let worker, let server):
      // The reply's bytes are the server's work, too.
      let bytes = exchange(message).bytes
      let seconds = costs.serverSecondsPerMessage + bytes * costs.serverSecondsPerByte
      servingUntil[server] = max(servingUntil[server], clock.now) + seconds
      serving[server] += seconds
      clock.after(
        servingUntil[server] - clock.now, .handled(message, worker: worker, server: server))
    case .handled(let message, let worker, let server):
      handled(message, worker: worker, server: server)
    case .computed(let worker, let isFirstHalf):
      ask(isFirstHalf ? .reduce : .push, worker, times: costs.shardsPerWorker)
    }
  }

  private mutating func handled(_ message: Message, worker: Int, server: Int) {
    switch message {
    case .pull:
      pulls[server].append(worker)
      guard pulls[server].count == costs.workers else { return }
      for waiting in pulls[server] { reply(.pulled, waiting, server) }
      pulls[server] = []
    case .reduce:
      reductions[server].append(worker)
      guard reductions[server].count == costs.workers * costs.shardsPerWorker else { return }
      for waiting in reductions[server] { reply(.reduced, waiting, server) }
      reductions[server] = []
    case .push: reply(.pushed, worker, server)
    case .pulled, .pushed, .reduced: break
    }
  }

  private mutating func received(_ message: Message, worker: Int, server: Int) {
    awaited[worker] -= 1
    guard awaited[worker] == 0 else { return }
    switch message {
    case .pulled: compute(worker, isFirstHalf: costs.reduction != nil)
    case .reduced: compute(worker, isFirstHalf: false)
    case .pushed:
      versions[worker] += 1
      ask(.pull, worker, times: 1)
    case .pull, .push, .reduce: break
    }
  }

  private mutating func compute(_ worker: Int, isFirstHalf: Bool) {
    let seconds = costs.reduction == nil ? costs.workerSeconds : costs.workerSeconds / 2
    computing[worker] += seconds
    clock.after(seconds, .computed(worker: worker, isFirstHalf: isFirstHalf))
  }

  // MARK: Network

  private func exchange(_ message: Message) -> ClusterCosts.Exchange {
    switch message {
    case .pull, .pulled: costs.pull
    case .push, .pushed: costs.push
    case .reduce, .reduced: costs.reduction ?? ClusterCosts.Exchange()
    }
  }

  private func machine(ofServer server: Int) -> Int { server % max(1, costs.machines) }

  private func machine(ofWorker worker: Int) -> Int {
    (costs.servers + worker) % max(1, costs.machines)
  }

  private mutating func ask(_ message: Message, _ worker: Int, times: Int) {
    awaited[worker] = costs.servers * times
    for _ in 0..<times {
      for step in 0..<costs.servers {
        // Workers begin with different servers, or all would queue at the first.
        let server = (step + worker) % costs.servers
        send(
          message, bytes: exchange(message).requestBytes, from: machine(ofWorker: worker),
          to: machine(ofServer: server), worker, server)
      }
    }
  }

  private mutating func reply(_ message: Message, _ worker: Int, _ server: Int) {
    send(
      message, bytes: exchange(message).replyBytes, from: machine(ofServer: server),
      to: machine(ofWorker: worker), worker, server)
  }

  private mutating func send(
    _ message: Message, bytes: Double, from sender: Int, to receiver: Int, _ worker: Int,
    _ server: Int
  ) {
    let event = Event.arrived(message, worker: worker, server: server)
    guard sender != receiver else { return clock.after(0, event) }
    let seconds = bytes / costs.bandwidth
    let start = max(clock.now, sendingUntil[sender])
    sendingUntil[sender] = start + seconds
    sending[sender] += seconds
    let arrival = max(start + costs.latency, receivingUntil[receiver]) + seconds
    receivingUntil[receiver] = arrival
    receiving[receiver] += seconds
    clock.after(arrival - clock.now, event)
  }
}
