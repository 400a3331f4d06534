import Checkpoints
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Training resumes from files")
struct ResumeTests {
  private static let kinds: [any RowOptimizer] = [
    SGD(), Adagrad(), RowwiseAdagrad(), Adam(mode: .dense), Adam(mode: .lazyExact),
    Adam(mode: .lazy), Adam(mode: .closed),
  ]

  @Test(
    "with the bits of an undisturbed run, on any number of servers",
    arguments: kinds, 1...3)
  func anyServers(kind: any RowOptimizer, servers: Int) throws {
    let folder = try TemporaryFolder()
    var undisturbed = try TrainedServers(TrainedServers.small, kind, servers: servers)
    undisturbed.train(to: 7)
    let manifest = try undisturbed.save(in: folder.path)
    undisturbed.train(to: 18)
    let bits = try undisturbed.bits()
    let reports = undisturbed.reports()
    #expect(reports?.count == 2)
    for others in 1...3 {
      let reader = try CheckpointReader(manifest.restored, in: folder.checkpoints, runID: "run")
      var restored = try TrainedServers(
        TrainedServers.small, kind, servers: others, generation: 2, restoring: reader)
      #expect(restored.version == 7)
      restored.train(to: 18)
      #expect(try restored.bits() == bits, "\(servers) → \(others)")
      #expect(restored.reports() == reports)
    }
  }

  @Test("with tables of more rows than are read at a time")
  func manyRows() throws {
    let folder = try TemporaryFolder()
    var undisturbed = try TrainedServers(TrainedServers.large, servers: 2)
    undisturbed.train(to: 6)
    let manifest = try undisturbed.save(in: folder.path)
    undisturbed.train(to: 10)
    for servers in 1...3 {
      let reader = try CheckpointReader(manifest.restored, in: folder.checkpoints, runID: "run")
      var restored = try TrainedServers(
        TrainedServers.large, servers: servers, generation: 2, restoring: reader)
      restored.train(to: 10)
      #expect(try restored.bits() == undisturbed.bits())
    }
  }

  @Test("from version 0, and from a checkpoint of a run that was itself restored")
  func again() throws {
    let folder = try TemporaryFolder()
    var undisturbed = try TrainedServers(servers: 1)
    var restored = undisturbed
    var generation: UInt64 = 1
    for (servers, stop) in [(2, 0), (3, 4), (1, 9), (2, 12)] as [(Int, UInt64)] {
      restored.train(to: stop)
      let manifest = try restored.save(in: folder.path)
      generation += 1
      restored = try TrainedServers(
        servers: servers, generation: generation,
        restoring: try CheckpointReader(manifest.restored, in: folder.checkpoints, runID: "run"))
    }
    undisturbed.train(to: 18)
    restored.train(to: 18)
    #expect(try restored.bits() == undisturbed.bits())
    #expect(restored.reports() == undisturbed.reports())
  }

  @Test("the same bits are written whenever a version is written")
  func sameFile() throws {
    let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
    var servers = try TrainedServers(servers: 2)
    servers.train(to: 5)
    let first = try servers.save(in: one.path)
    let second = try servers.save(in: other.path)
    #expect(first == second)
    #expect(try one.read(first.path(ofRank: 1)) == other.read(second.path(ofRank: 1)))
    #expect(try one.read(first.name.manifest) == other.read(second.name.manifest))
  }

  @Test("another run, version or configuration is refused with a message")
  func mismatch() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers()
    servers.train(to: 2)
    let manifest = try servers.save(in: folder.path)
    func reason(_ body: () throws -> Void) -> String {
      do {
        try body()
        return "no error"
      } catch let error as CheckpointError {
        #expect(error.code == .mismatch)
        return error.message
      } catch {
        return "\(error)"
      }
    }
    #expect(
      reason { _ = try CheckpointReader(manifest.restored, in: folder.checkpoints, runID: "other") }
        .contains("'other'"))
    var later = manifest.restored
    later.version = 3
    #expect(
      reason { _ = try CheckpointReader(later, in: folder.checkpoints, runID: "run") }
        .contains("version 3"))
    for path in ["../x/manifest.json", "v2-g1/manifest.json", "", "v0000000002-g1/x.json"] {
      var elsewhere = manifest.restored
      elsewhere.manifest = path
      #expect(
        reason { _ = try CheckpointReader(elsewhere, in: folder.checkpoints, runID: "run") }
          .contains("'\(path)'"))
    }
    let reader = try CheckpointReader(manifest, in: folder.checkpoints)
    #expect(
      reason { _ = try TrainedServers(TrainedServers.large, restoring: reader) }
        .contains("'item'"))
  }

  @Test("tables of other shapes are refused with both shapes")
  func otherShapes() throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers()
    servers.train(to: 2)
    let manifest = try servers.save(in: folder.path)
    let reader = try CheckpointReader(manifest, in: folder.checkpoints)
    var wider = TrainedServers.small
    wider[0] = TableSpec(name: "user", rows: 90, width: 6, initializer: .constant(0))
    var fewer = TrainedServers.small
    fewer[0] = TableSpec(name: "user", rows: 3, width: 5, initializer: .constant(0))
    for (specs, words) in [
      (wider, ["'user'", "5", "6"]), (fewer, ["'user'", "3 rows"]),
    ] {
      let error = #expect(throws: CheckpointError.self) {
        try TrainedServers(specs, restoring: reader)
      }
      for word in words {
        #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
      }
    }
  }

  @Test(
    "states of another optimizer are refused by name, even if their shapes fit",
    arguments: [SGD(), Adagrad(), RowwiseAdagrad(), Adam(mode: .dense)] as [any RowOptimizer])
  func otherOptimizer(kind: any RowOptimizer) throws {
    let folder = try TemporaryFolder()
    var servers = try TrainedServers(TrainedServers.small, kind)
    servers.train(to: 2)
    let manifest = try servers.save(in: folder.path)
    let error = #expect(throws: ParameterServerError.self) {
      try TrainedServers(restoring: try CheckpointReader(manifest, in: folder.checkpoints))
    }
    #expect(error?.code == .checkpoint)
    for words in [kind.description.summary, "adam (exp_avg, exp_avg_sq, ", "begin a new run"] {
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
    #expect(throws: CheckpointError.self) {
      try CheckpointView(
        manifest, in: folder.checkpoints,
        optimizer: TrainedServers.optimizer(Adam(mode: .lazyExact)))
    }
  }
}
