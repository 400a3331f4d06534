import ParameterServer
import Protocol
import Tables
import Testing

@Suite("Assigned rows and pushed initial values")
struct AssignTests {
  private static let specs = [
    TableSpec(name: "item", rows: 3, width: 2, initializer: .constant(1)),
    TableSpec(name: "data", rows: 40, width: 1, initializer: .pushed, rowsPerBlock: 8),
    TableSpec(name: "final", rows: 2, width: 2, initializer: .constant(0), rule: .assigned),
  ]

  private static func initialValues(_ rows: Range<Int>, plus offset: Float = 0) -> RowValues {
    [1: Dictionary(uniqueKeysWithValues: rows.map { ($0, [Float($0) + offset]) })]
  }

  @Test("no pull is answered until every pushed row has its value")
  func gating() throws {
    var cluster = try TestCluster(Self.specs)
    let pull = DataRequestBody.pull(TestCluster.wholePull(Self.specs, version: 0))
    #expect(cluster.send(pull, id: 500).isEmpty)
    let early = refusal(cluster.send(.push(cluster.push([:], version: 0))).first?.body)
    #expect(early?.code == .notReady && early?.message.contains("'data'") == true)
    cluster.pushEverywhere(Self.initialValues(0..<30), version: 0, kind: .assign)
    #expect(cluster.send(.pull(TestCluster.wholePull(Self.specs, version: 1)), id: 501).isEmpty)
    let rest = cluster.push(Self.initialValues(20..<40), version: 0, kind: .assign)
    let replies = cluster.send(.push(rest))
    #expect(pushOutcome(replies.first?.body) == .accepted)
    #expect(replies.dropFirst().map(\.requestID) == [500])
    #expect(try cluster.pullAll(version: 0)[1] == (0..<40).map { Float($0) })
    cluster.send(.push(cluster.push([:], version: 0)))
    #expect(cluster.confirm(version: 0).first?.reply.requestID == 501)
  }

  @Test("initial values are accepted once: a second sender changes nothing")
  func once() throws {
    var cluster = try TestCluster(Self.specs, servers: 2)
    cluster.pushEverywhere(Self.initialValues(0..<40), version: 0, kind: .assign)
    for server in 0..<2 {
      let again = cluster.push(
        Self.initialValues(0..<40, plus: 100), version: 0, kind: .assign, to: server)
      #expect(pushOutcome(cluster.send(.push(again), to: server).first?.body) == .duplicate)
    }
    #expect(try cluster.pullAll(version: 0)[1] == (0..<40).map { Float($0) })
    cluster.pushEverywhere([1: [7: [1]]], version: 0)
    let late = cluster.push(Self.initialValues(0..<40), version: 0, kind: .assign)
    #expect(pushOutcome(cluster.send(.push(late)).first?.body) == .duplicate)
    #expect(try cluster.pullAll(version: 1)[1][7] == 6)
  }

  @Test("a server without rows of a pushed table waits for nothing")
  func noRows() throws {
    let spec = TableSpec(name: "data", rows: 4, width: 1, initializer: .pushed, rowsPerBlock: 4)
    let owner = TablePlacement(spec, in: SlotMap(serverCount: 2)).server(ofRow: 0)
    var cluster = try TestCluster([spec], servers: 2)
    let pull = DataRequestBody.pull(TestCluster.wholePull([spec], version: 0))
    #expect(cluster.send(pull, to: 1 - owner).count == 1)
    #expect(cluster.send(pull, to: owner).isEmpty)
  }

  @Test("assigned tables are replaced at the current version, whole or by row")
  func assigned() throws {
    var cluster = try TestCluster([Self.specs[0], Self.specs[2]])
    let values = { (value: Float) -> RowValues in [1: [0: [value, value], 1: [value, value]]] }
    cluster.pushEverywhere(values(1), version: 0, kind: .assign)
    cluster.pushEverywhere([:], version: 0)
    let old = cluster.push(values(5), version: 0, kind: .assign)
    #expect(pushOutcome(cluster.send(.push(old)).first?.body) == .duplicate)
    #expect(try cluster.pullAll(version: 1)[1] == [1, 1, 1, 1])
    cluster.pushEverywhere([1: [1: [2, 3]]], version: 1, kind: .assign)
    #expect(try cluster.pullAll(version: 1)[1] == [1, 1, 2, 3])
    let ahead = cluster.push(values(5), version: 2, kind: .assign)
    #expect(refusal(cluster.send(.push(ahead)).first?.body)?.code == .malformed)
  }

  @Test("tables that steps update cannot be assigned")
  func notAssignable() throws {
    var cluster = try TestCluster(Self.specs)
    let push = cluster.push(
      [0: [0: [5, 5]], 1: [0: [5]]], version: 0, kind: .assign)
    let refused = refusal(cluster.send(.push(push)).first?.body)
    #expect(refused?.code == .malformed && refused?.message.contains("'item'") == true)
    cluster.pushEverywhere(Self.initialValues(0..<40), version: 0, kind: .assign)
    #expect(try cluster.pullAll(version: 0)[1][0] == 0, "nothing of the refused push was kept")
  }
}
