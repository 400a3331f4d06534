import Foundation
import Runtime
import TestSupport
import Testing
import Transport

@Suite struct RendezvousTests {
  private static let slurm = [
    "SLURM_JOB_ID": "12034", "SLURM_JOB_NODELIST": "rack[01-03,7]-n[2,4],login",
    "SLURM_PROCID": "3", "SLURM_STEP_ID": "2", "SLURMD_NODENAME": "rack02-n2",
  ]

  private static let kubernetes = [
    "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "worker-5", "MRDIB_SERVICE": "servers",
    "JOB_COMPLETION_INDEX": "5",
  ]

  private static let dmlc = [
    "DMLC_PS_ROOT_URI": "10.1.2.3", "DMLC_PS_ROOT_PORT": "9091", "DMLC_NUM_WORKER": "8",
    "DMLC_NUM_SERVER": "3", "DMLC_TASK_ID": "4", "DMLC_ROLE": "worker",
  ]

  private func find(
    _ fact: Rendezvous.Fact, _ environment: [String: String], role: String = "worker"
  ) -> String? {
    Rendezvous(role: role, environment: environment).find(fact)?.value
  }

  @Test("a Slurm task: the first node of the job, a port of the job, a name of step and task")
  func slurm() {
    #expect(find(.coordinator, Self.slurm) == "tcp://rack01-n2:20034")
    #expect(find(.name, Self.slurm) == "worker-2.3")
    #expect(find(.name, Self.slurm, role: "server") == "server-2.3")
    #expect(find(.advertise, Self.slurm) == "rack02-n2")
    #expect(find(.workers, Self.slurm) == nil)
  }

  @Test("a shell of a Slurm job is no task of it, and a malformed list names no host")
  func notInSlurm() {
    var shell = Self.slurm
    shell["SLURM_PROCID"] = nil
    for fact in Rendezvous.Fact.allCases { #expect(find(fact, shell) == nil, "\(fact)") }
    for list in ["n[1-3", "n[]", "n[a-b]", ",n1", ""] {
      var broken = Self.slurm
      broken["SLURM_JOB_NODELIST"] = list
      #expect(find(.coordinator, broken) == nil, "\(list)")
      #expect(find(.name, broken) == "worker-2.3")
    }
    var batch = Self.slurm
    batch["SLURM_STEP_ID"] = nil
    batch["SLURM_JOB_NODELIST"] = "n7"
    #expect(find(.name, batch) == "worker-batch.3")
    #expect(find(.coordinator, batch) == "tcp://n7:20034")
  }

  @Test("a pod: its name, and with a headless Service its address; never the coordinator's")
  func kubernetes() {
    #expect(find(.name, Self.kubernetes) == "worker-5")
    #expect(find(.advertise, Self.kubernetes) == "worker-5.servers")
    #expect(find(.coordinator, Self.kubernetes) == nil)
    #expect(find(.name, ["HOSTNAME": "desk"]) == nil)
  }

  @Test("variables of a parameter server's launcher")
  func dmlc() throws {
    #expect(find(.coordinator, Self.dmlc) == "tcp://10.1.2.3:9091")
    #expect(find(.name, Self.dmlc) == "worker-4")
    let rendezvous = Rendezvous(role: "coordinator", environment: Self.dmlc)
    #expect(try rendezvous.count(.workers)?.value == 8)
    #expect(try rendezvous.count(.servers)?.value == 3)
    let tracker = ["DMLC_TRACKER_URI": "h", "DMLC_TRACKER_PORT": "1", "DMLC_PS_ROOT_URI": "x"]
    #expect(find(.coordinator, tracker) == "tcp://h:1")
  }

  @Test("own variables, then DMLC's, then the pod's, then Slurm's; an empty one is not set")
  func order() throws {
    var all = Self.slurm.merging(Self.kubernetes) { $1 }.merging(Self.dmlc) { $1 }
    #expect(find(.coordinator, all) == "tcp://10.1.2.3:9091")
    #expect(find(.name, all) == "worker-4")
    #expect(find(.advertise, all) == "worker-5.servers")
    for fact in Rendezvous.Fact.allCases { all[fact.variable] = "own-\(fact)" }
    for fact in Rendezvous.Fact.allCases {
      let found = try #require(Rendezvous(role: "worker", environment: all).find(fact))
      #expect(found.value == "own-\(fact)")
      #expect(found.source == fact.variable)
      all[fact.variable] = ""
    }
    #expect(find(.name, all) == "worker-4")
    #expect(Rendezvous.without(all)["MRDIB_NAME"] == nil)
    #expect(Rendezvous.without(all)["DMLC_TASK_ID"] == "4")
  }

  @Test("a malformed value is refused with its variable and the option that replaces it")
  func malformed() {
    func message(_ variable: String, _ value: String, _ body: (Rendezvous) throws -> Void) -> String
    {
      do {
        try body(Rendezvous(role: "worker", environment: [variable: value]))
        return ""
      } catch {
        return "\(error)"
      }
    }
    for value in ["0", "-1", "two", "99999999999999999999"] {
      let text = message("MRDIB_WORKERS", value) { _ = try $0.count(.workers) }
      #expect(text.contains("MRDIB_WORKERS") && text.contains("give --workers"), "\(text)")
    }
    let address = message("MRDIB_COORDINATOR", "A:7000") { _ = try $0.coordinator() }
    #expect(address.contains("MRDIB_COORDINATOR") && address.contains("--coordinator"))
    let name = message("MRDIB_NAME", "a b\u{1b}") { _ = try $0.name() }
    #expect(name.contains("MRDIB_NAME") && !name.contains("\u{1b}"), "\(name)")
  }

  @Test("a coordinator listens at all addresses for an address of its machine, and at its own else")
  func listening() throws {
    func listens(_ text: String) throws -> String {
      try CoordinatorAddress(text).listeningAddress
    }
    #expect(try listens("tcp://host-a:7000") == "tcp://0.0.0.0:7000")
    #expect(try listens("tcp://127.0.0.1:7000") == "tcp://127.0.0.1:7000")
    #expect(try listens("ipc:///tmp/socket") == "ipc:///tmp/socket")
    #expect(try listens("file:///shared/coordinator") == "tcp://0.0.0.0:*")
    #expect(try CoordinatorAddress("file:///a b").description == "file:///a b")
    #expect(throws: TransportError.self) { try CoordinatorAddress("file://") }
    let rendezvous = Rendezvous(role: "server", environment: Self.slurm)
    #expect(rendezvous.advertisedHost(listeningAt: "tcp://0.0.0.0:*") == "rack02-n2")
    #expect(rendezvous.advertisedHost(listeningAt: "tcp://127.0.0.1:*") == nil)
    let none = Rendezvous(role: "server", environment: [:])
    #expect(none.advertisedHost(listeningAt: "tcp://[::]:4", else: "me") == "me")
  }

  @Test("the report names what each role takes, from where, and what is missing")
  func report() throws {
    var environment = Self.slurm
    environment["SLURM_JOB_NODELIST"] = "localhost"
    environment["MRDIB_WORKERS"] = "many"
    let worker = RendezvousReport(role: "worker", environment: environment)
    #expect(worker.problems == [])
    #expect(
      worker.lines == [
        "role\tworker",
        "coordinator\ttcp://localhost:20034\tfrom SLURM_JOB_NODELIST, SLURM_JOB_ID",
        "name\tworker-2.3\tfrom SLURM_STEP_ID, SLURM_PROCID",
        "data\tmissing\tgive --data or MRDIB_DATA_FOLDER",
      ])
    let coordinator = RendezvousReport(role: "coordinator", environment: environment)
    #expect(coordinator.problems.count == 1)
    #expect(coordinator.problems.first?.contains("MRDIB_WORKERS") == true)
    let folder = try TemporaryFolder()
    let file = ["MRDIB_COORDINATOR": "file://\(folder.path("address"))"]
    #expect(RendezvousReport(role: "server", environment: file).problems.count == 1)
    try folder.write("tcp://127.0.0.1:7000\n", to: "address")
    #expect(RendezvousReport(role: "server", environment: file).problems == [])
  }
}
