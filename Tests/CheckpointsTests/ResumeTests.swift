import Checkpoints
import Files
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
    try resume(kind, .float32, servers: servers)
  }

  @Test(
    "with the bits of an undisturbed run, on any number of servers, states in bfloat16",
    arguments: [Adagrad(), Adam(mode: .lazy), Adam(mode: .closed)] as [any RowOptimizer], 1...3)
  func roundedStates(kind: any RowOptimizer, servers: Int) throws {
    try resume(kind, .bfloat16, servers: servers)
  }

  private func resume(
    _ kind: any RowOptimizer, _ moments: MomentPrecision, servers: Int
  ) throws {
    let folder = try TemporaryFolder()
    var undisturbed = try TrainedServers(
      TrainedServers.small, kind, moments: moments, servers: servers)
    undisturbed.train(to: 7)
    let manifest = try undisturbed.save(in: folder.path)
    undisturbed.train(to: 18)
    let bits = try undisturbed.bits()
    let reports = undisturbed.reports()
    #expect(reports?.count == 2)
    for others in 1...3 {
      let reader = try CheckpointReader(manifest.restored, in: folder.checkpoints, runID: "run")
      var restored = try TrainedServers(
        TrainedServers.small, kind, moments: moments, servers: others, generation: 2,
        restoring: reader)
      #expect(restored.version == 7)
      restored.train(to: 18)
      #expect(try restored.bits() == bits, "\(servers) → \(others)")
      #expect(restored.reports() == reports)
    }
  }

  @Test("bfloat16 states are BF16 in files, and in the exported table as F32")
  func roundedFiles() throws {
    let folder = try TemporaryFolder()
    let adam = Adam(mode: .closed)
    var sizes: [Int] = []
    for moments in MomentPrecision.allCases {
      var servers = try TrainedServers(
        TrainedServers.large, adam, moments: moments, servers: 1)
      servers.train(to: 6)
      let name = folder.path + "/\(moments.rawValue)"
      let manifest = try servers.save(in: name)
      let file = try SafetensorsFile(path: "\(name)/\(manifest.path(ofRank: 0))")
      let types = ["item", "item/exp_avg", "item/exp_avg_sq"].map {
        file.header.entries[$0]?.tensor.type
      }
      let state: SafetensorsHeader.ElementType = moments == .float32 ? .float32 : .bfloat16
      #expect(types == [.float32, state, state])
      sizes.append(file.header.byteCount)
      let view = try CheckpointView(
        manifest, in: CheckpointStore(folder: name),
        optimizer: TrainedServers.optimizer(adam, moments))
      let exported = folder.path + "/\(moments.rawValue).safetensors"
      try view.export(to: exported, withState: true)
      let table = try SafetensorsFile(path: exported)
      let shape = SafetensorsHeader.Tensor(name: "item/exp_avg_sq", shape: [5_000, 64])
      var values = [Float](repeating: 0, count: 5_000 * 64)
      try values.withUnsafeMutableBufferPointer { buffer in
        try table.read(shape, to: UnsafeMutableRawPointer(try #require(buffer.baseAddress)))
      }
      // No more than six rows of each shard and version have a state.
      #expect(values.contains { $0 > 0 })
      #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
      let weights = SafetensorsHeader.Tensor(name: "item", shape: [5_000, 64])
      try values.withUnsafeMutableBufferPointer { buffer in
        try table.read(weights, to: UnsafeMutableRawPointer(try #require(buffer.baseAddress)))
      }
      // What a pull of the version returns.
      #expect(values.map(\.bitPattern) == (try servers.bits()[0]))
    }
    // Two of three numbers of a row take half.
    #expect(sizes[0] - sizes[1] == 5_000 * 64 * 2 * 2)
  }

  @Test("a checkpoint of another precision is refused in one sentence")
  func otherPrecision() throws {
    let folder = try TemporaryFolder()
    for (written, wanted) in [
      (MomentPrecision.float32, MomentPrecision.bfloat16),
      (.bfloat16, .float32),
    ] {
      var servers = try TrainedServers(
        TrainedServers.small, Adam(mode: .closed), moments: written, servers: 1)
      servers.train(to: 3)
      let manifest = try servers.save(in: folder.path + "/\(written.rawValue)")
      let store = CheckpointStore(folder: folder.path + "/\(written.rawValue)")
      let reader = try CheckpointReader(manifest.restored, in: store, runID: "run")
      let error = #expect(throws: ParameterServerError.self) {
        try TrainedServers(
          TrainedServers.small, Adam(mode: .closed), moments: wanted, servers: 1,
          generation: 2, restoring: reader)
      }
      #expect(error?.message.contains("exp_avg in bfloat16") == true)
      #expect(error?.message.contains("begin a new run") == true)
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
