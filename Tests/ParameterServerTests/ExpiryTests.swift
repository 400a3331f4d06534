import ParameterServer
import Protocol
import Tables
import TestSupport
import Testing

@Suite("Rows that expire") struct ExpiryTests {
  private static let specs = [
    TableSpec(name: "user", rows: 50, width: 6, initializer: .normal(standardDeviation: 0.1)),
    TableSpec(name: "copied", rows: 8, width: 2, initializer: .pushed, rowsPerBlock: 1),
  ]
  /// Epochs of three steps.
  private static let schedule = StepSchedule(stepsPerEpoch: 3)

  private static func cluster(
    _ kind: any RowOptimizer, _ moments: MomentPrecision, expiry: Int, servers: Int = 1,
    restoring source: MemorySource? = nil
  ) throws -> TestCluster {
    try TestCluster(
      specs, servers: servers, kind: kind, rate: LearningRate(0.01), moments: moments,
      expiryEpochs: expiry, schedule: schedule, restoring: source)
  }

  /// Row r of the first table has gradients in the first r mod 6 epochs, row 0 in epoch 4 again;
  /// all rows of the second table in the first step only.
  private static func gradient(_ version: UInt64) -> RowValues {
    var random = SeededGenerator(seed: version)
    let epoch = Int(version) / 3
    var rows: [Int: [Float]] = [:]
    for row in 0..<50 where epoch < row % 6 || (row == 0 && epoch == 4) {
      // Once or twice in an epoch.
      if Int(version) % 3 <= row % 2 { rows[row] = random.values(6) }
    }
    var result: RowValues = [0: rows]
    if version == 0 {
      result[1] = Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, random.values(2)) })
    }
    return result
  }

  private static func start(_ cluster: inout TestCluster) {
    let values = Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, [Float($0), -1]) })
    cluster.pushEverywhere([1: values], version: 0, kind: .assign)
  }

  private static func train(_ versions: Range<UInt64>, _ cluster: inout TestCluster) {
    for version in versions { cluster.pushEverywhere(gradient(version), version: version) }
  }

  private static let kinds: [(any RowOptimizer, MomentPrecision)] = [
    (SGD(), .float32), (Adagrad(), .float32), (RowwiseAdagrad(), .float32),
    (Adam(mode: .lazy), .float32), (Adam(mode: .closed), .float32),
    (Adam(mode: .closed), .bfloat16), (Adagrad(), .bfloat16),
  ]

  @Test("after so many whole epochs without a gradient, and not before", arguments: kinds)
  func expires(kind: any RowOptimizer, moments: MomentPrecision) throws {
    var cluster = try Self.cluster(kind, moments, expiry: 2)
    var kept = try Self.cluster(kind, moments, expiry: 0)
    Self.start(&cluster)
    Self.start(&kept)
    let initial = try cluster.pullAll(version: 0)
    for epoch in 0..<7 {
      let versions = UInt64(3 * epoch)..<UInt64(3 * epoch + 3)
      Self.train(versions, &cluster)
      Self.train(versions, &kept)
      let values = try cluster.pullAll(version: versions.upperBound)[0]
      let unexpired = try kept.pullAll(version: versions.upperBound)[0]
      for row in 1..<50 where row % 6 > 0 {
        let range = row * 6..<row * 6 + 6
        // Its last epoch with a gradient is row % 6 - 1.
        let isExpired = epoch - (row % 6 - 1) >= 2
        #expect((values[range] == initial[0][range]) == isExpired, "\(row) after \(epoch)")
        if !isExpired { #expect(values[range] == unexpired[range]) }
      }
    }
    // Tables with pushed initial values keep their rows.
    let expired = (1..<50).count { $0 % 6 > 0 }
    #expect(cluster.servers[0].statistics.rowsExpired == expired + 1)
    #expect(try cluster.pullAll(version: 21)[1] == kept.pullAll(version: 21)[1])
    #expect(kept.servers[0].statistics.rowsExpired == 0)
  }

  @Test("a row that expired begins again like one that was never updated")
  func beginsAgain() throws {
    // Steps of SGD and Adagrad do not depend on how many there were before.
    for kind in [SGD(), Adagrad(), RowwiseAdagrad()] as [any RowOptimizer] {
      var cluster = try Self.cluster(kind, .float32, expiry: 1)
      Self.start(&cluster)
      cluster.pushEverywhere([0: [7: [1, 2, 3, 4, 5, 6]]], version: 0)
      for version in 1..<UInt64(6) { cluster.pushEverywhere([:], version: version) }
      cluster.pushEverywhere([0: [7: [1, 1, 1, 1, 1, 1]]], version: 6)
      var fresh = try Self.cluster(kind, .float32, expiry: 1)
      Self.start(&fresh)
      fresh.pushEverywhere([0: [7: [1, 1, 1, 1, 1, 1]]], version: 0)
      #expect(try cluster.pullAll(version: 7)[0] == fresh.pullAll(version: 1)[0])
    }
  }

  @Test("the same rows on any number of servers, and after a restore at any version")
  func restored() throws {
    let kind = Adam(mode: .closed)
    var undisturbed = try Self.cluster(kind, .bfloat16, expiry: 2)
    Self.start(&undisturbed)
    Self.train(0..<21, &undisturbed)
    let expected = try undisturbed.pullAll(version: 21).map { $0.map(\.bitPattern) }
    for stop in [5, 6, 8, 9, 14, 15] as [UInt64] {
      var first = try Self.cluster(kind, .bfloat16, expiry: 2, servers: 2)
      Self.start(&first)
      Self.train(0..<stop, &first)
      var second = try Self.cluster(
        kind, .bfloat16, expiry: 2, servers: 3, restoring: try MemorySource(first))
      Self.train(stop..<21, &second)
      #expect(try second.pullAll(version: 21).map { $0.map(\.bitPattern) } == expected, "\(stop)")
    }
  }

  @Test("optimizers that touch all rows are refused", arguments: [Adam.Mode.dense, .lazyExact])
  func refused(mode: Adam.Mode) throws {
    let error = #expect(throws: ParameterServerError.self) {
      try Self.cluster(Adam(mode: mode), .float32, expiry: 1)
    }
    #expect(error?.code == .configuration)
    #expect(error?.message.contains("expiry_epochs") == true)
    #expect(error?.message.contains("adam_mode closed") == true)
  }
}
