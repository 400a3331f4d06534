import Protocol
import Telemetry
import Worker

/// The counters of a worker.
struct WorkerMetrics: MetricSource {
  let statistics: ConversationStatistics
  /// The interactions whose gradients were pushed.
  let examples: UInt64
  /// Steps or blocks of the task under way.
  let taskProgress: UInt64
  let outstanding: Int
  /// Nil before the process is a member.
  let welcome: Welcome?

  init(_ session: WorkerSession, examples: UInt64, taskProgress: UInt64) {
    statistics = session.statistics
    self.examples = examples
    self.taskProgress = taskProgress
    outstanding = session.outstandingCount
    welcome = session.welcome
  }

  var families: [MetricFamily] {
    var latency = MetricFamily(
      "mrdib_worker_request_duration_seconds", .histogram,
      "From the first sending of a request to its reply; a pull contains the wait for its version.")
    for (kind, histogram) in [
      ("pull", statistics.pullSeconds), ("push", statistics.pushSeconds),
      ("reduce", statistics.reduceSeconds),
    ] {
      latency.add([.init("kind", kind)], histogram)
    }
    var staleness = MetricFamily(
      "mrdib_worker_staleness_versions", .histogram,
      "How many versions older than asked for the rows of a reply were; 0 in bsp.")
    staleness.add([], statistics.staleness)
    var loss = MetricFamily(
      "mrdib_worker_loss", .gauge,
      "This worker's share of each part of the loss of its latest step; the shares of all workers"
        + " add up to the loss.")
    for (part, value) in statistics.loss.sorted(by: { $0.key < $1.key }) {
      loss.add([.init("part", part)], value)
    }
    return [
      .member("worker", welcome),
      MetricFamily(
        "mrdib_worker_examples", .counter,
        "Interactions whose gradients were pushed, also those computed again after a loss.",
        Double(examples)),
      MetricFamily(
        "mrdib_worker_versions", .counter, "Versions of the tables to which gradients were pushed.",
        Double(statistics.versions)),
      loss, latency, staleness,
      MetricFamily(
        "mrdib_worker_task_progress", .gauge,
        "Steps or blocks of the task under way that are done.",
        Double(taskProgress)),
      MetricFamily(
        "mrdib_worker_requests_outstanding", .gauge, "Requests without a reply.",
        Double(outstanding)),
      MetricFamily(
        "mrdib_worker_requests_repeated", .counter, "Requests that were sent again.",
        Double(statistics.repeated)),
      .refusals(
        "mrdib_worker_refusals", "Requests that a server refused, by reason.",
        statistics.refusals),
      MetricFamily(
        "mrdib_worker_generation", .gauge, "The generation of the tables; 0 before the first.",
        Double(welcome?.generation ?? 0)),
    ]
  }
}

extension TelemetryBoard.Status {
  init(_ session: WorkerSession) {
    self.init(isReady: session.isReady, activity: session.activity)
  }
}
