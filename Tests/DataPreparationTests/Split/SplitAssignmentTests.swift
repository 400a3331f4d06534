import DataPreparation
import Datasets
import TestSupport
import Testing

/// The parts of each user's interactions follow the method that was asked for.
@Suite struct SplitAssignmentTests {
  private static let ratios = SplitRatios.standard

  /// The labels of each user, with the rows.
  private func byUser(
    _ columns: InteractionColumns, _ assignment: SplitAssignment
  ) -> [Int32: [(row: Int, label: SplitLabel)]] {
    Dictionary(
      grouping: (0..<columns.count).map { (row: $0, label: assignment.labels[$0]) },
      by: { columns.users[$0.row] })
  }

  private func count(_ rows: [(row: Int, label: SplitLabel)], _ label: SplitLabel) -> Int {
    rows.count { $0.label == label }
  }

  @Test(
    "each user has as many interactions held out as the rule says",
    arguments: 1...5 as ClosedRange<UInt64>)
  func countsPerUser(seed: UInt64) throws {
    let data = UnsplitData(seed: seed)
    let columns = data.columns()
    let methods: [SplitMethod] = [.random(nil), .userTime(nil), .leaveOneOut]
    for method in methods {
      let assignment = SplitAssignment(columns, method: method, keys: data.keys(seed: seed))
      #expect(assignment.labels.count == columns.count)
      var inTrainingOnly = 0
      for (_, rows) in byUser(columns, assignment) {
        let expected: (valid: Int, test: Int)
        if rows.count < 3 {
          expected = (0, 0)
          inTrainingOnly += 1
        } else {
          expected = method == .leaveOneOut ? (1, 1) : SplitRule.heldOut(of: rows.count)
        }
        #expect(count(rows, .valid) == expected.valid && count(rows, .test) == expected.test)
      }
      #expect(assignment.usersInTrainingOnly == inTrainingOnly)
    }
  }

  @Test("with ratios, no part of a user is more than one interaction from its share")
  func ratioCounts() throws {
    let data = UnsplitData(seed: 3)
    let columns = data.columns()
    for method in [SplitMethod.random(Self.ratios), .userTime(Self.ratios)] {
      let assignment = SplitAssignment(columns, method: method, keys: data.keys(seed: 1))
      for (_, rows) in byUser(columns, assignment) {
        for (label, share) in [(SplitLabel.train, 0.8), (.valid, 0.1), (.test, 0.1)] {
          let exact = share * Double(rows.count)
          #expect(abs(Double(count(rows, label)) - exact) < 1)
        }
        #expect(count(rows, .train) >= 1)
      }
    }
  }

  @Test("along a user's time, nothing that is held out is older than what is trained on")
  func noLeakPerUser() throws {
    let data = UnsplitData(seed: 7)
    let columns = data.columns()
    let times = try #require(columns.times)
    for method in [SplitMethod.userTime(nil), .userTime(Self.ratios), .leaveOneOut] {
      let assignment = SplitAssignment(columns, method: method, keys: data.keys(seed: 2))
      for (_, rows) in byUser(columns, assignment) {
        let latest = { (label: SplitLabel) in
          rows.filter { $0.label == label }.map { times[$0.row] }.max() ?? -.infinity
        }
        let earliest = { (label: SplitLabel) in
          rows.filter { $0.label == label }.map { times[$0.row] }.min() ?? .infinity
        }
        #expect(latest(.train) <= min(earliest(.valid), earliest(.test)))
        #expect(latest(.valid) <= earliest(.test))
      }
    }
  }

  @Test("a split by time has one point between the parts for all users")
  func noLeakGlobally() throws {
    let data = UnsplitData(seed: 8)
    let columns = data.columns()
    let times = try #require(columns.times)
    let assignment = SplitAssignment(
      columns, method: .time(.ratios(Self.ratios)), keys: data.keys(seed: 1))
    let cut = try #require(assignment.cut)
    #expect(cut.valid < cut.test)
    for row in 0..<columns.count {
      let expected: SplitLabel =
        times[row] < cut.valid ? .train : times[row] < cut.test ? .valid : .test
      #expect(assignment.labels[row] == expected)
    }
    // Fifty days with as many interactions each: a day is two per cent.
    let train = Double(assignment.labels.count { $0 == .train }) / Double(columns.count)
    #expect(abs(train - 0.8) < 0.05)
    let points = SplitAssignment(
      columns, method: .time(.points(valid: cut.valid, test: cut.test)), keys: data.keys(seed: 9))
    #expect(points.labels == assignment.labels)
  }

  @Test("the labels depend on the ids and the seed, not on the order of lines")
  func orderOfLines() throws {
    var data = UnsplitData(seed: 11)
    let methods: [SplitMethod] = [
      .random(nil), .random(Self.ratios), .userTime(nil), .leaveOneOut,
      .time(.ratios(Self.ratios)), .coldItems(Self.ratios), .coldUsers(Self.ratios),
    ]
    let before = methods.map {
      SplitAssignment(data.columns(), method: $0, keys: data.keys(seed: 5)).labels
    }
    let other = SplitAssignment(
      data.columns(), method: .random(nil), keys: data.keys(seed: 6)
    ).labels
    var generator = SeededGenerator(seed: 1)
    data.rows.shuffle(using: &generator)
    let after = methods.map {
      SplitAssignment(data.columns(), method: $0, keys: data.keys(seed: 5)).labels
    }
    #expect(before == after)
    #expect(before[0] != other)
  }

  @Test("every place of a user's list is held out about equally often")
  func uniform() throws {
    // One user's choice among ten items, over many users.
    let users = 4000
    let data = UnsplitData(seed: 1, userCount: users, itemCount: 10, perUser: 10...10)
    let columns = data.columns(hasTimes: false)
    let assignment = SplitAssignment(columns, method: .random(nil), keys: data.keys(seed: 4))
    for label in [SplitLabel.valid, .test] {
      for item in 0..<10 {
        let count = (0..<columns.count).count {
          columns.items[$0] == Int32(item) && assignment.labels[$0] == label
        }
        // 400 expected, with a deviation of 19.
        #expect((300...500).contains(count), "item \(item): \(count)")
      }
    }
  }
}
