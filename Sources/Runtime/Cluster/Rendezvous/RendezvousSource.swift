import Foundation

/// What one source of variables says about a process's place in a cluster. An empty variable counts
/// as not set.
struct RendezvousSource: Sendable {
  private(set) var facts: [Rendezvous.Fact: Rendezvous.Finding] = [:]

  private init() {}

  private mutating func add(_ fact: Rendezvous.Fact, _ value: String?, from source: String) {
    guard let value, !value.isEmpty else { return }
    facts[fact] = Rendezvous.Finding(value: value, source: source)
  }

  /// mrdib's own variables.
  static func own(_ environment: [String: String]) -> RendezvousSource {
    var source = RendezvousSource()
    for fact in Rendezvous.Fact.allCases {
      source.add(fact, environment[fact.variable], from: fact.variable)
    }
    return source
  }

  /// Variables of ps-lite's trackers (`docs/env.md` there), which other launchers of parameter
  /// servers set too. A tracker for all-reduce jobs (`DMLC_TRACKER_*`) runs in the first process,
  /// where the coordinator is then.
  static func dmlc(_ environment: [String: String], role: String) -> RendezvousSource {
    var source = RendezvousSource()
    for pair in [
      ("DMLC_PS_ROOT_URI", "DMLC_PS_ROOT_PORT"), ("DMLC_TRACKER_URI", "DMLC_TRACKER_PORT"),
    ] where source.facts[.coordinator] == nil {
      guard let host = environment[pair.0], !host.isEmpty, let port = environment[pair.1],
        !port.isEmpty
      else { continue }
      source.add(.coordinator, "tcp://\(host):\(port)", from: "\(pair.0), \(pair.1)")
    }
    if let task = environment["DMLC_TASK_ID"], !task.isEmpty {
      source.add(.name, "\(role)-\(task)", from: "DMLC_TASK_ID")
    }
    source.add(.workers, environment["DMLC_NUM_WORKER"], from: "DMLC_NUM_WORKER")
    source.add(.servers, environment["DMLC_NUM_SERVER"], from: "DMLC_NUM_SERVER")
    source.add(.advertise, environment["DMLC_NODE_HOST"], from: "DMLC_NODE_HOST")
    return source
  }

  /// In a Kubernetes pod. The host name is the pod's: of a StatefulSet or an Indexed Job, whose
  /// pods have their index in it (`JOB_COMPLETION_INDEX`), it stays the same over restarts. Nothing
  /// in a pod names other pods, so the coordinator's Service must be named by `MRDIB_COORDINATOR`.
  static func kubernetes(_ environment: [String: String]) -> RendezvousSource {
    var source = RendezvousSource()
    let marks = ["KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"]
    guard marks.contains(where: { environment[$0]?.isEmpty == false }) else { return source }
    source.add(.name, environment["HOSTNAME"], from: "HOSTNAME of the pod")
    if let host = environment["HOSTNAME"], !host.isEmpty,
      let service = environment["MRDIB_SERVICE"], !service.isEmpty
    {
      // A headless Service gives each of its pods this name.
      source.add(.advertise, "\(host).\(service)", from: "HOSTNAME of the pod, MRDIB_SERVICE")
    }
    return source
  }

  /// In a task of a Slurm job: the coordinator is on the first node of the job, at a port that
  /// follows from the job's number, because jobs may share a node. The number of a step is in the
  /// name: a second step of workers must not replace the first.
  static func slurm(_ environment: [String: String], role: String) -> RendezvousSource {
    var source = RendezvousSource()
    // A shell that `salloc` started belongs to a job and is no task of it.
    guard let task = environment["SLURM_PROCID"], !task.isEmpty,
      let job = environment["SLURM_JOB_ID"].flatMap({ UInt64($0) })
    else { return source }
    if let host = environment["SLURM_JOB_NODELIST"].flatMap(firstHost) {
      source.add(
        .coordinator, "tcp://\(host):\(slurmPort(ofJob: job))",
        from: "SLURM_JOB_NODELIST, SLURM_JOB_ID")
    }
    let step = environment["SLURM_STEP_ID"].flatMap { UInt64($0) }.map(String.init) ?? "batch"
    source.add(.name, "\(role)-\(step).\(task)", from: "SLURM_STEP_ID, SLURM_PROCID")
    source.add(.advertise, environment["SLURMD_NODENAME"], from: "SLURMD_NODENAME")
    return source
  }

  /// From 20000 to 31999: below the ports that systems give to connections by default.
  static func slurmPort(ofJob job: UInt64) -> UInt64 { 20_000 + job % 12_000 }

  /// The first host of a list such as `rack[01-03,7]-n[2,4],login`: `rack01-n2`.
  ///
  /// - Returns: nil if the text is no such list.
  static func firstHost(_ list: String) -> String? {
    var host = ""
    var rest = Substring(list)
    while let character = rest.popFirst(), character != "," {
      guard character == "[" else {
        host.append(character)
        continue
      }
      guard let end = rest.firstIndex(of: "]") else { return nil }
      let number = rest[..<end].prefix { $0 != "-" && $0 != "," }
      guard !number.isEmpty, number.allSatisfy(\.isNumber) else { return nil }
      host += number
      rest = rest[rest.index(after: end)...]
    }
    return host.isEmpty ? nil : host
  }
}
