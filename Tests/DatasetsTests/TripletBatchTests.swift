import Datasets
import TestSupport
import Testing

@Suite("triplet batches")
struct TripletBatchTests {
  @Test("distinct rows and positions are those of the triplets")
  func listsDistinctRows() {
    let batch = TripletBatch(
      users: [7, 2, 7], positives: [5, 9, 5], negatives: [9, 1, 4], globalCount: 10)
    #expect(batch.count == 3 && batch.globalCount == 10)
    #expect(batch.distinctUsers == [2, 7] && batch.userIndex == [1, 0, 1])
    #expect(batch.distinctItems == [1, 4, 5, 9])
    #expect(batch.positiveIndex == [2, 3, 2] && batch.negativeIndex == [3, 0, 1])
    #expect(batch.distinctPositives == [5, 9] && batch.distinctPositiveItemIndex == [2, 3])
  }

  @Test("a batch may be empty")
  func mayBeEmpty() {
    let batch = TripletBatch(users: [], positives: [], negatives: [], globalCount: 1)
    #expect(batch.distinctUsers.isEmpty && batch.distinctItems.isEmpty)
    #expect(batch.distinctPositives.isEmpty && batch.distinctPositiveItemIndex.isEmpty)
  }

  @Test(
    "any triplets give ascending distinct rows, from which the indices restore the triplets",
    arguments: [1, 3, 2048, 5000, 3_000_000, Int(InteractionFile.largestID) + 1])
  func leadsBack(bound: Int) {
    var random = SeededGenerator(seed: UInt64(bound))
    for count in [1, 2, 100, 1500] {
      let users = (0..<count).map { _ in Int32(random.below(bound)) }
      let positives = (0..<count).map { _ in Int32(random.below(bound)) }
      let negatives = (0..<count).map { _ in Int32(random.below(bound)) }
      let batch = TripletBatch(
        users: users, positives: positives, negatives: negatives, globalCount: count)
      #expect(batch.distinctUsers == Set(users).sorted())
      #expect(batch.distinctItems == Set(positives + negatives).sorted())
      #expect(batch.distinctPositives == Set(positives).sorted())
      #expect(batch.userIndex.map { batch.distinctUsers[Int($0)] } == users)
      #expect(batch.positiveIndex.map { batch.distinctItems[Int($0)] } == positives)
      #expect(batch.negativeIndex.map { batch.distinctItems[Int($0)] } == negatives)
      #expect(
        batch.distinctPositiveItemIndex.map { batch.distinctItems[Int($0)] }
          == batch.distinctPositives)
    }
  }
}
