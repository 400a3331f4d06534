import Checkpoints
import Foundation
import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Comparing and exporting checkpoints")
struct ViewTests {
  private static func view(
    _ manifest: CheckpointManifest, _ folder: TemporaryFolder, _ kind: any RowOptimizer
  ) throws -> CheckpointView {
    try CheckpointView(
      manifest, in: folder.checkpoints, optimizer: TrainedServers.optimizer(kind))
  }

  @Test("an export has the bits that pulls return, table by table", arguments: [1, 3])
  func export(servers count: Int) throws {
    for specs in [TrainedServers.small, TrainedServers.large] {
      let folder = try TemporaryFolder()
      let kind = Adam(mode: count == 1 ? .closed : .lazyExact)
      var servers = try TrainedServers(specs, kind, servers: count)
      servers.train(to: 8)
      let manifest = try servers.save(in: folder.path)
      let path = "\(folder.path)/all.safetensors"
      try Self.view(manifest, folder, kind).export(to: path)
      // Parsed by hand, independently of the tested reader: length, JSON, values.
      let bytes = try folder.read("all.safetensors")
      let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
      #expect(length % 8 == 0)
      let header = try #require(
        try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
      let bits = try servers.bits()
      for (table, spec) in specs.enumerated() {
        guard spec.rule != .assigned else {
          #expect(header[spec.name] == nil)
          continue
        }
        let tensor = try #require(header[spec.name] as? [String: Any])
        #expect(tensor["dtype"] as? String == "F32")
        #expect(tensor["shape"] as? [Int] == [spec.rows, spec.width])
        let offsets = try #require(tensor["data_offsets"] as? [Int])
        #expect(offsets[1] - offsets[0] == 4 * spec.rows * spec.width)
        let found = (0..<spec.rows * spec.width).map { index in
          (0..<4).reduce(UInt32(0)) {
            $0 | UInt32(bytes[8 + length + offsets[0] + 4 * index + $1]) << (8 * $1)
          }
        }
        #expect(found == bits[table])
      }
    }
  }

  @Test("the same training on other servers, dense or lazy, has no difference")
  func same() throws {
    let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
    let dense = Adam(mode: .dense)
    let exact = Adam(mode: .lazyExact)
    for specs in [TrainedServers.small, TrainedServers.large] {
      var left = try TrainedServers(specs, exact, servers: 2)
      var right = try TrainedServers(specs, exact, servers: 3)
      left.train(to: 7)
      right.train(to: 5)
      // Reading replays missed steps, so there is no difference.
      _ = try right.bits()
      right.train(to: 7)
      let difference = try Self.view(left.save(in: one.path), one, exact)
        .difference(from: Self.view(right.save(in: other.path), other, exact))
      #expect(difference.map(\.table) == specs.map(\.name))
      #expect(difference.allSatisfy { $0.isEmpty && $0.largestDifference == 0 })
    }
    var servers = try TrainedServers(TrainedServers.small, dense)
    servers.train(to: 7)
    let manifest = try servers.save(in: other.path)
    #expect(
      try Self.view(manifest, other, dense).difference(from: Self.view(manifest, other, dense))
        .allSatisfy(\.isEmpty))
  }

  @Test("differences are counted by row")
  func different() throws {
    let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
    var servers = try TrainedServers(TrainedServers.small, SGD())
    servers.train(to: 4)
    let before = try servers.bits()
    let left = try Self.view(servers.save(in: one.path), one, SGD())
    servers.train(to: 6)
    let after = try servers.bits()
    let right = try Self.view(servers.save(in: other.path), other, SGD())
    let difference = try left.difference(from: right)
    for (table, spec) in TrainedServers.small.enumerated() {
      let rows = (0..<spec.rows).filter { row in
        let range = row * spec.width..<(row + 1) * spec.width
        return before[table][range] != after[table][range]
      }
      let largest = zip(before[table], after[table])
        .map { abs(Float(bitPattern: $0) - Float(bitPattern: $1)) }.max()
      #expect(difference[table].differingRows == rows.count)
      #expect(difference[table].largestDifference == largest)
      #expect(difference[table].rowCount == spec.rows)
      #expect(difference[table].isEmpty == (spec.rule == .assigned))
    }
  }

  @Test("an export with state has every state of every optimizer, as wide as it is")
  func states() throws {
    for (kind, expected) in [
      (SGD(), [:]), (Adagrad(), ["user/sum": 5]), (RowwiseAdagrad(), ["user/sum": 1]),
      (Adam(mode: .lazy), ["user/exp_avg": 5, "user/exp_avg_sq": 5]),
    ] as [(any RowOptimizer, [String: Int])] {
      let folder = try TemporaryFolder()
      var servers = try TrainedServers(TrainedServers.small, kind, servers: 2)
      servers.train(to: 5)
      let view = try Self.view(servers.save(in: folder.path), folder, kind)
      let states = view.parameters(withState: true).filter { $0.name.hasPrefix("user/") }
      #expect(Dictionary(uniqueKeysWithValues: states.map { ($0.name, $0.columns) }) == expected)
      for state in states {
        var values: [Float] = []
        try view.readRows(of: state) { values += $0 }
        #expect(values.count == state.rows * state.columns)
        #expect(values.contains { $0 != 0 }, "\(state.name)")
      }
    }
  }

  @Test("a difference in a state only is found, also with one number per row")
  func otherStates() throws {
    for kind in [Adagrad(), RowwiseAdagrad()] as [any RowOptimizer] {
      let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
      var servers = try TrainedServers(TrainedServers.small, kind, servers: 1)
      servers.train(to: 4)
      let manifest = try servers.save(in: one.path)
      let forged = try servers.save(in: other.path)
      // The first number of a state: its place is in the header.
      var bytes = try other.read(forged.path(ofRank: 0))
      let length = (0..<8).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
      let header = try #require(
        try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
      let state = try #require(header["user/sum"] as? [String: Any])
      let offsets = try #require(state["data_offsets"] as? [Int])
      bytes[8 + length + offsets[0]] ^= 1
      try other.write(bytes, to: forged.path(ofRank: 0))
      let committed = try CheckpointManifest(
        runID: "run", schedule: TrainedServers.schedule,
        tables: servers.specs.map(TableDescription.init), optimizer: kind.description,
        shards: [
          CheckpointShard(
            generation: 1, version: 4, rank: 0, file: forged.path(ofRank: 0),
            byteCount: UInt64(bytes.count),
            digest: try FileContent(of: "\(other.path)/\(forged.path(ofRank: 0))").digest)
        ], configuration: "", configurationDigest: "c0ffee", dataDigest: "da7a", created: "")
      let difference = try Self.view(manifest, one, kind)
        .difference(from: Self.view(committed, other, kind))
      #expect(difference.map(\.differingStates) == [1, 0, 0, 0])
      #expect(difference.map(\.differingRows) == [0, 0, 0, 0])
    }
  }

  @Test("tables in only one checkpoint, or with other optimizer states, are named")
  func incomparable() throws {
    let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
    let left = try TrainedServers(TrainedServers.small, SGD()).save(in: one.path)
    let right = try TrainedServers(
      TrainedServers.large + TrainedServers.small.dropLast(), Adagrad()
    )
    .save(in: other.path)
    let difference = try Self.view(left, one, SGD())
      .difference(from: Self.view(right, other, Adagrad()))
    #expect(difference.map(\.table) == ["user", "f", "mean", "final", "item"])
    #expect(difference.map(\.rowCount) == [0, 0, 3, 0, 0])
    #expect(difference.map(\.isEmpty) == [false, false, true, false, false])
  }
}
