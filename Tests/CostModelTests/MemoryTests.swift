import Checkpoints
import CostModel
import Foundation
import ParameterServer
import Protocol
import Runtime
import Tables
import TestSupport
import Testing

@Suite("Memory and disk") struct MemoryTests {
  private static let tables = [
    TableSpec(name: "user", rows: 30_000, width: 128, initializer: .uniform(bound: 0.1)),
    TableSpec(name: "item", rows: 5000, width: 64, initializer: .constant(0)),
    TableSpec(name: "final", rows: 5000, width: 128, initializer: .constant(0), rule: .assigned),
  ]

  private static func state(
    _ rule: any RowOptimizer, rank: Int = 0, servers: Int = 1
  ) throws -> ServerState<Int> {
    try ServerState(
      rank: rank, serverCount: servers, runID: String(repeating: "r", count: 36), generation: 1,
      tables: tables, seed: 1, shardCount: 1, schedule: StepSchedule(stepsPerEpoch: 10),
      optimizer: OptimizerConfiguration(
        rule, model: LearningRate(0.1), discriminator: LearningRate(0.1)))
  }

  static let optimizers: [any RowOptimizer] = [SGD(), Adam(mode: .closed), RowwiseAdagrad()]

  @Test("tables take what a real server has of them, on any number of servers", arguments: [1, 3])
  func tableBytes(servers: Int) throws {
    for rule in Self.optimizers {
      for rank in 0..<servers {
        let state = try Self.state(rule, rank: rank, servers: servers)
        for (spec, real) in zip(Self.tables, state.tableSizes) {
          let layout = rule.description.layout(width: spec.width, rule: spec.rule)
          let memory = TableMemory(spec, layout: layout, rowCount: real.rows)
          #expect(memory.rowBytes == real.bytes)
        }
      }
      let places = TablePlaces(Self.tables, serverCount: servers)
      let state = try Self.state(rule, rank: servers - 1, servers: servers)
      #expect(places.rows.map { Int($0[servers - 1]) } == state.tableSizes.map(\.rows))
    }
  }

  @Test("a checkpoint has the bytes of the file that is written", arguments: [0, 1])
  func checkpoint(rank: Int) throws {
    let folder = try TemporaryFolder()
    for rule in Self.optimizers {
      let state = try Self.state(rule, rank: rank, servers: 2)
      let snapshot = try #require(state.snapshot())
      let store = CheckpointStore(folder: folder.path("\(rule.description.name)-\(rank)"))
      let digest = String(repeating: "d", count: 32)
      let written = try CheckpointShardWriter(store, configurationDigest: digest).write(snapshot)
      let predicted = try ShardSize.byteCount(
        of: snapshot.tables.map { ($0.shape, $0.rowCount) }, rank: rank, serverCount: 2,
        optimizer: rule.description.name, epochSums: snapshot.epochSums)
      // The number of the version has more digits in the prediction.
      #expect(abs(predicted - Int(written.byteCount)) <= 16)
    }
  }

  @Test("while a checkpoint is written, the blocks that a step changes are there twice")
  func copies() throws {
    let run = try SmallData("vbpr", ["objective=plain", "servers=1", "checkpoint_epochs=1"])
    let calibration = try run.calibration
    func copied(batchSize: Int) throws -> Double {
      var size = RunSize(run.setup)
      size.batchSize = batchSize
      let parts = try MemoryNeeds(
        size, StepTraffic(size, calibration.shape), calibration, program: 0
      ).processes[2].parts
      func bytes(_ name: String) throws -> Double {
        Double(try #require(parts.first { $0.name == name }).bytes)
      }
      return try bytes("copy while a checkpoint is written") / bytes("tables")
    }
    // Less than all, because the final vectors of the items are not trained.
    let (all, few) = (try copied(batchSize: 2048), try copied(batchSize: 1))
    #expect(all > 0.8 && all <= 1, "\(all)")
    #expect(few >= 0.2 && few < all - 0.1, "\(few) of \(all)")
  }

  @Test("every process is listed, and more servers hold fewer rows each")
  func processes() throws {
    func needs(_ servers: Int) throws -> MemoryNeeds {
      let run = try SmallData("vbpr", ["objective=plain", "servers=\(servers)", "workers=2"])
      let size = RunSize(run.setup)
      let calibration = try run.calibration
      return try MemoryNeeds(
        size, StepTraffic(size, calibration.shape), calibration, program: 40 << 20)
    }
    let (one, four) = (try needs(1), try needs(4))
    #expect(one.processes.map(\.role) == ["launcher", "coordinator", "server", "worker"])
    #expect(four.processes.map(\.count) == [1, 1, 4, 2])
    func tables(_ needs: MemoryNeeds) -> Int {
      needs.processes[2].parts.first { $0.name == "tables" }?.bytes ?? 0
    }
    #expect(tables(four) < tables(one) / 3)
    #expect(abs(four.checkpoint - one.checkpoint) < 16 << 10)
    #expect(one.processes.allSatisfy { $0.resident >= $0.own && $0.own > 40 << 20 })
  }
}

@Suite("Whether a run fits") struct MachineFitTests {
  private static func costs(_ settings: [String] = []) throws -> RunCosts {
    let run = try SmallData("vbpr", ["objective=plain"] + settings)
    return try RunCosts(RunSize(run.setup), run.calibration, program: 40 << 20)
  }

  @Test("a machine that has enough fits, and one that has less says what is missing")
  func memory() throws {
    let costs = try Self.costs()
    let large = MachineFit(costs, on: .init(memory: 8 << 30, freeMemory: 4 << 30))
    #expect(large.problems.isEmpty && large.warnings.isEmpty)
    #expect(large.lines.first?.hasPrefix("fits: ") == true)
    let busy = MachineFit(costs, on: .init(memory: 8 << 30, freeMemory: 10 << 20))
    #expect(busy.problems.isEmpty && busy.warnings.count == 1)
    let small = MachineFit(costs, on: .init(memory: 100 << 20))
    #expect(small.problems.count == 1)
    #expect(small.problems[0].contains("this machine has 100 MiB"), "\(small.problems)")
    // A process of its own needs more than one of many small machines has.
    let many = MachineFit(costs, on: .init(memory: 20 << 20), machines: 1000)
    #expect(many.problems.count == 1 && many.problems[0].contains("use more"))
  }

  @Test("checkpoints that are kept need disk")
  func disk() throws {
    let machine = MachineFit.Machine(memory: 8 << 30, freeDisk: 1 << 30)
    #expect(MachineFit(try Self.costs(), on: machine).problems.isEmpty)
    let many = MachineFit(try Self.costs(["checkpoint_keep=1000000"]), on: machine)
    #expect(many.problems.count == 1 && many.problems[0].contains("checkpoint_folder"))
    let none = try Self.costs(["checkpoint_epochs=0"])
    #expect(none.memory.disk < none.memory.checkpoint)
  }

  @Test("a message beyond the largest frame is found before the run fails on it")
  func frames() throws {
    let request = RunRequest(
      data: nil, assignments: ["model=lightgcn", "objective=plain", "workers=1", "servers=1"])
    let sizes = RunEstimate.Sizes(
      users: 2_000_000, items: 100_000, interactions: 20_000_000, modalities: [],
      popularity: .uniform)
    let costs = try RunEstimate(request, sizes: sizes, effort: .brief).costs()
    let fit = MachineFit(costs, on: .init(memory: 1 << 50))
    #expect(fit.problems.contains { $0.contains("a message would have") }, "\(fit.problems)")
  }
}
