/// What a step costs the processes of a cluster, and the network between their machines: the input
/// of a ``StepTimeline``.
package struct ClusterCosts: Sendable, Equatable {
  /// One request of a worker for a server, and its reply.
  package struct Exchange: Sendable, Equatable {
    package var requestBytes: Double
    package var replyBytes: Double

    package init(requestBytes: Double = 0, replyBytes: Double = 0) {
      self.requestBytes = requestBytes
      self.replyBytes = replyBytes
    }

    var bytes: Double { requestBytes + replyBytes }
  }

  /// Of the workers that have shards; all have equally many.
  package var workers: Int
  package var servers: Int
  package var shardsPerWorker: Int
  /// Machines, on which the servers are first and the workers next, in turn.
  package var machines: Int
  /// A worker's computation between the reply to its pull and its push.
  package var workerSeconds: Double
  /// What a server computes for a byte that it receives or sends.
  package var serverSecondsPerByte: Double
  /// What a server computes for a message.
  package var serverSecondsPerMessage: Double
  package var pull: Exchange
  /// Of each shard.
  package var push: Exchange
  /// Of each shard, between the forward pass and the push; nil if there is none.
  package var reduction: Exchange?
  /// Seconds from one machine to another.
  package var latency: Double
  /// Bytes per second of a machine, in each direction.
  package var bandwidth: Double

  package init(
    workers: Int, servers: Int, shardsPerWorker: Int, machines: Int, workerSeconds: Double,
    serverSecondsPerByte: Double, serverSecondsPerMessage: Double, pull: Exchange, push: Exchange,
    reduction: Exchange? = nil, latency: Double, bandwidth: Double
  ) {
    self.workers = workers
    self.servers = servers
    self.shardsPerWorker = shardsPerWorker
    self.machines = machines
    self.workerSeconds = workerSeconds
    self.serverSecondsPerByte = serverSecondsPerByte
    self.serverSecondsPerMessage = serverSecondsPerMessage
    self.pull = pull
    self.push = push
    self.reduction = reduction
    self.latency = latency
    self.bandwidth = bandwidth
  }
}

/// How long a step takes in a simulated cluster, and what is busy meanwhile.
package struct StepTiming: Sendable, Equatable {
  /// From one version of the tables to the next.
  package var stepSeconds: Double
  /// The share of the time in which the busiest worker computes.
  package var workerUse: Double
  /// The share of the time in which the busiest server computes.
  package var serverUse: Double
  /// The share of the time in which the busiest machine sends.
  package var sendingUse: Double
  /// The share of the time in which the busiest machine receives.
  package var receivingUse: Double

  /// What limits the step.
  package enum Limit: String, Sendable {
    case workers = "computing of the workers"
    case servers = "computing of the servers"
    case sending = "bandwidth (sending)"
    case receiving = "bandwidth (receiving)"
    case waiting = "waiting: round trips and barriers"
  }

  /// The part that is busy for most of the time; waiting if none is for a quarter of it. The parts
  /// of a step follow one another, so that none need be busy for half of it.
  package var limit: Limit {
    let uses: [(Limit, Double)] = [
      (.workers, workerUse), (.servers, serverUse), (.sending, sendingUse),
      (.receiving, receivingUse),
    ]
    let most = uses.max { $0.1 < $1.1 }
    guard let most, most.1 >= 0.25 else { return .waiting }
    return most.0
  }
}
