import Synchronization
import Tensors
import Testing

@Suite("Lanes")
struct LanesTests {
  static let counts = [1, 2, 3, 5]

  @Test("every block is computed exactly once", arguments: counts, [0, 1, 2, 7, 64, 1000])
  func blocks(lanes: Int, blockCount: Int) {
    let visits = Mutex([Int](repeating: 0, count: blockCount))
    Lanes(count: lanes).forEach(blockCount) { block, lane in
      #expect(lane >= 0 && lane < lanes)
      visits.withLock { $0[block] += 1 }
    }
    #expect(visits.withLock { $0 } == [Int](repeating: 1, count: blockCount))
  }

  @Test("ranges are consecutive, cover everything, and do not depend on the lanes")
  func ranges() {
    for count in [0, 1, 99, 16_384, 65_535, 65_536, 200_001] {
      for elements in [1, 3, 64, 1 << 20] {
        var known: [Range<Int>]?
        for lanes in [2, 3, 5] {
          let found = Mutex<[Range<Int>]>([])
          Lanes(count: lanes).forEachRange(of: count, elements: elements) { range in
            found.withLock { $0.append(range) }
          }
          let ranges = found.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
          #expect(ranges.reduce(0) { $1.lowerBound == $0 ? $1.upperBound : -1 } == count)
          #expect(ranges == known ?? ranges)
          known = ranges
        }
      }
    }
  }

  @Test("a sum has the same bits for any number of lanes", arguments: [1, 255, 100_000, 300_007])
  func sums(count: Int) {
    let found = Self.counts.map { lanes in
      Lanes(count: lanes).sum(of: count) { $0.reduce(0.0) { $0 + 1 / Double(3 * $1 + 1) } }
    }
    #expect(Set(found).count == 1 && found[0] > 0)
  }

  @Test("a call from inside a block, and one from another thread, compute on their own thread")
  func nested() {
    let lanes = Lanes(count: 3)
    let inner = Atomic<Int>(0)
    lanes.forEach(20) { _, _ in
      lanes.forEach(10) { block, lane in
        #expect(lane == 0)
        inner.wrappingAdd(block, ordering: .relaxed)
      }
    }
    #expect(inner.load(ordering: .relaxed) == 20 * 45)
  }

  @Test("many tiny jobs, on lanes that several threads share", arguments: [2, 5])
  func stress(count: Int) async {
    let lanes = Lanes(count: count)
    await withTaskGroup(of: Int.self) { group in
      for caller in 0..<3 {
        group.addTask {
          var total = 0
          for job in 0..<3000 {
            let sum = Atomic<Int>(0)
            lanes.forEach(1 + (job + caller) % 9) { block, _ in
              sum.wrappingAdd(block + 1, ordering: .relaxed)
            }
            let blocks = 1 + (job + caller) % 9
            if sum.load(ordering: .relaxed) == blocks * (blocks + 1) / 2 { total += 1 }
          }
          return total
        }
      }
      for await total in group { #expect(total == 3000) }
    }
  }

  @Test("lanes that have worked, slept, or never started end with their owner")
  func shutdown() {
    for round in 0..<200 {
      let lanes = Lanes(count: 1 + round % 5)
      let sum = Atomic<Int>(0)
      if round % 3 > 0 {
        lanes.forEach(8) { block, _ in sum.wrappingAdd(block, ordering: .relaxed) }
        #expect(sum.load(ordering: .relaxed) == 28)
      }
    }
  }

  @Test("the lanes of a scope are those of its thread only")
  func scope() {
    let lanes = Lanes(count: 3)
    let outside = Lanes.current
    Lanes.$ofScope.withValue(lanes) { #expect(Lanes.current === lanes) }
    #expect(Lanes.current === outside && outside !== lanes)
  }
}
