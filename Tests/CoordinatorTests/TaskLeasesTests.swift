import Coordinator
import Protocol
import Testing

@Suite struct TaskLeasesTests {
  private static func assign(_ leases: inout TaskLeases, _ shares: [TaskLeases.Lease]) {
    for share in shares {
      let body = TaskBody.rank(version: 0, epoch: 0, blocks: share.units)
      leases.assign(share, as: WorkerTask(id: share.node, generation: 1, body: body))
    }
  }

  private static func shards(_ count: UInt32, of workers: [NodeID]) -> TaskLeases {
    var leases = TaskLeases(unitCount: count, workerCount: workers.count, at: 0)
    assign(&leases, leases.leaseShards(to: workers, favoring: nil))
    return leases
  }

  @Test("units wait in parts for every worker, and no part has more than one task may have")
  func parts() {
    let leases = TaskLeases(unitCount: 7, unitsPerTask: 2, workerCount: 2, at: 0)
    #expect(leases.waiting == [[0, 2], [1, 3], [4, 6], [5]])
    #expect(TaskLeases(unitCount: 1, workerCount: 3, at: 0).waiting == [[0]])
    #expect(TaskLeases(unitCount: 2, workerCount: 0, at: 0).waiting == [[0, 1]])
  }

  @Test("waiting shards go to the worker with the fewest")
  func fewest() {
    var leases = Self.shards(5, of: [1, 2])
    #expect(leases.outstanding[1]?.units == [0, 2, 4])
    #expect(leases.outstanding[2]?.units == [1, 3])
    leases.release(1)
    #expect(leases.waiting == [[0, 2, 4]])
    let moved = leases.leaseShards(to: [2, 3], favoring: nil)
    #expect(moved.map(\.node) == [2, 3] && moved.map(\.units) == [[1, 3, 4], [0, 2]])
  }

  @Test("a newcomer gets shards until no other worker has two more, and only those move")
  func newcomer() {
    var leases = Self.shards(5, of: [1, 2])
    let moved = leases.leaseShards(to: [1, 2, 3], favoring: 3)
    #expect(moved.map(\.node) == [1, 3] && moved.map(\.units) == [[0, 2], [4]])
    var even = Self.shards(2, of: [1, 2])
    #expect(even.leaseShards(to: [1, 2, 3], favoring: 3).isEmpty)
  }

  @Test("a lost part is leased first, and only to a worker without a task")
  func lostPart() {
    var leases = TaskLeases(unitCount: 6, unitsPerTask: 2, workerCount: 1, at: 0)
    Self.assign(&leases, leases.leaseParts(to: [1, 2]))
    #expect(leases.outstanding[1]?.units == [0, 1] && leases.outstanding[2]?.units == [2, 3])
    leases.release(1)
    #expect(leases.leaseParts(to: [2]).isEmpty)
    let again = leases.leaseParts(to: [2, 3])
    #expect(again.map(\.node) == [3] && again.map(\.units) == [[0, 1]])
  }

  @Test("the work is done when no unit waits or is leased")
  func done() {
    var leases = Self.shards(2, of: [1, 2])
    leases.complete(1, reports: [UnitReport(unit: 0, sums: [:])])
    #expect(!leases.isDone && leases.doneUnitCount == 1)
    leases.complete(1, reports: [UnitReport(unit: 0, sums: [:])])
    #expect(leases.reports.count == 1, "the worker has no task any more")
    leases.complete(2, reports: [UnitReport(unit: 1, sums: [:])])
    #expect(leases.isDone && leases.reports.map(\.unit) == [0, 1])
  }
}
