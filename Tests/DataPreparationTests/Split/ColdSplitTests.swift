import DataPreparation
import Datasets
import TestSupport
import Testing

/// Splits that hold out items or users as a whole.
@Suite struct ColdSplitTests {
  private let data = UnsplitData(seed: 13, userCount: 60, itemCount: 40)

  private func labels(
    _ method: SplitMethod, seed: UInt64 = 4, by ids: (InteractionColumns) -> [Int32]
  ) -> [Int32: [SplitLabel]] {
    let columns = data.columns()
    let assignment = SplitAssignment(columns, method: method, keys: data.keys(seed: seed))
    return Dictionary(grouping: zip(ids(columns), assignment.labels), by: \.0)
      .mapValues { $0.map(\.1) }
  }

  @Test("a tenth of the items is in validation alone, and another in test alone")
  func items() {
    let byItem = labels(.coldItems(.standard), by: \.items)
    #expect(byItem.values.count { $0.allSatisfy { $0 == .valid } } == 4)
    #expect(byItem.values.count { $0.allSatisfy { $0 == .test } } == 4)
    // The warm ones have interactions in all three parts, so that both can be measured.
    let warm = byItem.values.filter { $0.contains(.train) }
    #expect(warm.count == 32)
    for label in [SplitLabel.valid, .test] {
      #expect(warm.contains { $0.contains(label) })
    }
  }

  @Test("a cold user has one interaction in training and the others in one part")
  func users() {
    let byUser = labels(.coldUsers(.standard), by: \.users)
    let several = byUser.values.filter { $0.count > 1 }
    let expected = Int((Double(several.count) / 10).rounded())
    for label in [SplitLabel.valid, .test] {
      let cold = several.filter { labels in
        labels.count { $0 == .train } == 1 && labels.count { $0 == label } == labels.count - 1
      }
      // Users of two or three interactions may look the same by chance.
      #expect(cold.count >= expected && cold.count < expected + 5)
    }
    #expect(byUser.values.allSatisfy { $0.contains(.train) })
  }

  @Test("another seed chooses other items")
  func seeds() {
    let method = SplitMethod.coldItems(.standard)
    let cold = { (seed: UInt64) in
      Set(labels(method, seed: seed, by: \.items).filter { !$0.value.contains(.train) }.keys)
    }
    #expect(cold(4) == cold(4))
    #expect(cold(4) != cold(5))
  }
}
