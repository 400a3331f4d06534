import Datasets
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("choices of a generated data set") struct SyntheticChoiceTests {
  private static func configuration(
    candidates: Int, items: Int = 500
  ) -> SyntheticConfiguration {
    var configuration = SyntheticConfiguration()
    configuration.seed = 7
    configuration.users = 150
    configuration.items = items
    configuration.interactionsPerUser = 10
    configuration.candidates = candidates
    configuration.visualNoiseDimensions = 2
    configuration.textNoiseDimensions = 2
    return configuration
  }

  @Test("the noise that is left out decides nothing: lists are those of all noisy scores")
  func choosesTheLargest() throws {
    let configuration = Self.configuration(candidates: 500)
    let data = try SyntheticData(configuration)
    let noise = CounterRandom(seed: 7, stream: .generator, epoch: 11)
    let counts = CounterRandom(seed: 7, stream: .generator, epoch: 10)
    var lists: [Set<Int>] = []
    var closest = [(score: Float, user: Int)](
      repeating: (-.infinity, 0), count: configuration.items)
    for user in 0..<configuration.users {
      let scores = (0..<configuration.items).map { item in
        var sum: Float = 0
        for column in 0..<data.itemPreferences.columns {
          sum += data.userPreferences[user, column] * data.itemPreferences[item, column]
        }
        let word = noise.words(id: user, index: item / 4)[item % 4]
        // All components have weight 1: ‖w‖² is the number of dimensions.
        return configuration.sharpness / Float(32).squareRoot() * sum
          - Float(log(-log((Double(word) + 0.5) * 0x1p-32)))
      }
      for (item, score) in scores.enumerated() where score > closest[item].score {
        closest[item] = (score, user)
      }
      let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
      lists.append(Set(order.prefix(5 + counts.integer(below: 11, id: user))))
    }
    let chosen = lists.reduce(into: Set<Int>()) { $0.formUnion($1) }
    #expect(chosen.count < configuration.items)
    for item in 0..<configuration.items where !chosen.contains(item) {
      lists[closest[item].user].insert(item)
    }
    var found = [Set<Int>](repeating: [], count: configuration.users)
    for (user, item) in zip(data.interactions.users, data.interactions.items) {
      found[Int(user)].insert(Int(item))
    }
    #expect(found == lists)
  }

  @Test("of a larger catalogue every user chooses among as many items as are offered")
  func offersSome() throws {
    let configuration = Self.configuration(candidates: 60, items: 1200)
    let data = try SyntheticData(configuration)
    let dataset = try data.dataset()
    #expect(dataset.itemCount == 1200)
    #expect(Set(data.interactions.items).count == 1200)
    for user in 0..<configuration.users {
      let list = zip(data.interactions.users, data.interactions.items)
        .filter { Int($0.0) == user }.map(\.1)
      #expect(list == Set(list).sorted() && list.count >= 5, "user \(user)")
    }
    // A score has standard deviation 3: the choices from 60 items are far above the mean.
    var sum: Float = 0
    for (user, item) in zip(data.interactions.users, data.interactions.items) {
      for column in 0..<data.itemPreferences.columns {
        sum += data.userPreferences[Int(user), column] * data.itemPreferences[Int(item), column]
      }
    }
    let mean = 3 * sum / Float(32).squareRoot() / Float(data.interactions.count)
    #expect(mean > 2, "\(mean)")
  }

  @Test("lanes change nothing", arguments: [60, 500])
  func ignoresLanes(candidates: Int) throws {
    let configuration = Self.configuration(candidates: candidates)
    let one = try SyntheticData(configuration)
    let three = try Lanes.$ofScope.withValue(Lanes(count: 3)) { try SyntheticData(configuration) }
    #expect(one.interactions == three.interactions)
  }

  @Test("the files hold what is generated in memory, in blocks")
  func writesInBlocks() throws {
    var configuration = Self.configuration(candidates: 60, items: 4500)
    configuration.users = 900
    let folder = try TemporaryFolder(name: "data")
    try SyntheticData.generate(configuration, to: folder.path)
    let data = try SyntheticData(configuration)
    let read = try Dataset.load(folder: folder.path, needsFeatures: true)
    #expect(try read.digest == data.dataset().digest)
  }

  @Test("a generation that is stopped leaves what was there before")
  func leavesNothing() throws {
    let parent = try TemporaryFolder(name: "data")
    let folder = parent.path("made")
    let configuration = Self.configuration(candidates: 60)
    func stop(at stage: String) {
      #expect(throws: DatasetError.self) {
        try SyntheticData.generate(configuration, to: folder) {
          found, _ throws(DatasetError) in
          if found == stage { throw DatasetError(.changed, path: folder, "was stopped") }
        }
      }
    }
    for stage in ["generating items", "generating interactions", "writing interactions"] {
      stop(at: stage)
      #expect(!FileManager.default.fileExists(atPath: folder), "\(stage)")
    }
    var other = configuration
    other.seed = 8
    try SyntheticData.generate(other, to: folder)
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    let truth = try SyntheticTruth.read(folder: folder)
    stop(at: "writing interactions")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == files)
    #expect(try SyntheticTruth.read(folder: folder) == truth)
  }
}
