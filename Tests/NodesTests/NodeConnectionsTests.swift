import Nodes
import Testing

@Suite struct NodeConnectionsTests {
  @Test("the number of connecting nodes is bounded; members are kept")
  func bounded() {
    var nodes = NodeConnections<Int>()
    func add(_ number: Int) {
      nodes.add(UInt64(number), on: number, memberCount: 2) { $0 < 2 }
    }
    for number in 0..<NodeConnections<Int>.othersLimit + 500 { add(number) }
    #expect(nodes.count == NodeConnections<Int>.othersLimit + 2)
    #expect(nodes.allPeers.count == nodes.count)
    for member in 0..<2 {
      #expect(nodes.node(on: member) == UInt64(member))
      #expect(nodes.peer(of: UInt64(member)) == member)
    }
    // The one that has sent nothing for the longest time is forgotten.
    #expect(nodes.node(on: 2) == nil && nodes.peer(of: 2) == nil)
    let kept = 500
    #expect(nodes.node(on: kept) == UInt64(kept))
    add(10_000)
    #expect(nodes.node(on: kept) == UInt64(kept))
    #expect(nodes.node(on: kept + 1) == nil)
  }

  @Test("a connection has one node, and a node one connection: the latest")
  func replaced() {
    var nodes = NodeConnections<Int>()
    func add(_ node: UInt64, on peer: Int) {
      nodes.add(node, on: peer, memberCount: 0) { _ in false }
    }
    add(7, on: 1)
    add(8, on: 1)
    #expect(nodes.peer(of: 7) == nil && nodes.node(on: 1) == 8)
    add(8, on: 2)
    #expect(nodes.node(on: 1) == nil && nodes.peer(of: 8) == 2)
    #expect(nodes.count == 1)
  }
}
