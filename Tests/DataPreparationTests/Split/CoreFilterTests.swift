import DataPreparation
import TestSupport
import Testing

@Suite struct CoreFilterTests {
  /// The core by its definition: removes what has too few until there is none.
  private func reference(
    _ columns: InteractionColumns, users userMinimum: Int, items itemMinimum: Int
  ) -> (kept: [Bool], rounds: Int) {
    var kept = [Bool](repeating: true, count: columns.count)
    var rounds = 0
    while true {
      var users: [Int32: Int] = [:]
      var items: [Int32: Int] = [:]
      for row in 0..<columns.count where kept[row] {
        users[columns.users[row], default: 0] += 1
        items[columns.items[row], default: 0] += 1
      }
      let few = (0..<columns.count).filter { row in
        kept[row]
          && (users[columns.users[row], default: 0] < userMinimum
            || items[columns.items[row], default: 0] < itemMinimum)
      }
      guard !few.isEmpty else { return (kept, rounds) }
      rounds += 1
      for row in few { kept[row] = false }
    }
  }

  @Test("the core is the one of the definition", arguments: 1...60 as ClosedRange<UInt64>)
  func matchesReference(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed, counter: 9)
    let data = UnsplitData(
      seed: seed, userCount: 5 + generator.below(30), itemCount: 12 + generator.below(20),
      perUser: 1...12)
    let columns = data.columns()
    let (userMinimum, itemMinimum) = (generator.below(7), generator.below(7))
    let core = CoreFilter(columns, userMinimum: userMinimum, itemMinimum: itemMinimum)
    let expected = reference(columns, users: userMinimum, items: itemMinimum)
    #expect(core.isKept == expected.kept)
    #expect(core.rounds == expected.rounds)
    // A core has no smaller core.
    var again = columns
    again.keep(core.isKept)
    if again.count > 0 {
      let second = CoreFilter(again, userMinimum: userMinimum, itemMinimum: itemMinimum)
      #expect(second.rounds == 0 && !second.isKept.contains(false))
    }
  }

  @Test("a chain falls apart from its ends")
  func chain() throws {
    // u0-i0, u0-i1, u1-i1, u1-i2, …: the last user has one item.
    var users: [Int32] = []
    var items: [Int32] = []
    for user in 0..<500 as Range<Int32> {
      users += [user, user]
      items += [user, user + 1]
    }
    let columns = InteractionColumns(users: users, items: items)
    let core = CoreFilter(columns, userMinimum: 2, itemMinimum: 2)
    #expect(core.isEmpty)
    #expect(core.rounds == reference(columns, users: 2, items: 2).rounds)
  }

  @Test("the largest core that leaves something is found")
  func largest() throws {
    // Four users with the same three items, and a user with one.
    var users: [Int32] = [4]
    var items: [Int32] = [3]
    for user in (0..<4 as Range<Int32>).reversed() {
      users += [user, user, user]
      items += [0, 1, 2]
    }
    var columns = InteractionColumns(users: users, items: items)
    columns.sortByUserAndItem()
    #expect(CoreFilter.largest(columns, userMinimum: 10, itemMinimum: 10) == 3)
    #expect(!CoreFilter(columns, userMinimum: 3, itemMinimum: 3).isEmpty)
    #expect(CoreFilter(columns, userMinimum: 4, itemMinimum: 4).isEmpty)
  }
}
