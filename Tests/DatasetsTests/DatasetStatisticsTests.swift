import Datasets
import Foundation
import Testing

@Suite("data set statistics")
struct DatasetStatisticsTests {
  @Test("counts, density and degrees are those of the data")
  func countsWhatIsThere() throws {
    let dataset = try Dataset(
      name: "small",
      interactions: Interactions(
        train: [(0, 0), (0, 1), (0, 2), (1, 1), (3, 3)], valid: [(1, 2)], test: [(2, 0), (0, 4)]))
    let statistics = DatasetStatistics(dataset)
    #expect(statistics.users == 4 && statistics.items == 5)
    #expect(statistics.train == 5 && statistics.valid == 1 && statistics.test == 1)
    #expect(statistics.interactions == 7 && statistics.density == 7.0 / 20)
    #expect(statistics.dropped == dataset.dropped && statistics.dropped.test == 1)
    #expect(statistics.coldItems == 1)
    #expect(statistics.trainPerUser.minimum == 0 && statistics.trainPerUser.maximum == 3)
    #expect(statistics.trainPerUser.median == 1 && statistics.trainPerUser.mean == 1.25)
    #expect(statistics.trainPerItem.median == 1 && statistics.trainPerItem.maximum == 2)
    let lines = statistics.lines.joined(separator: "\n")
    for part in [
      "small", "5 / 1 / 1", "35.0000 %", "min 0, median 1.0, mean 1.25, max 3", "dropped",
    ] {
      #expect(lines.contains(part), "'\(part)' is missing in\n\(lines)")
    }
  }

  @Test("the figures survive JSON")
  func survivesJSON() throws {
    let statistics = DatasetStatistics(try SmallData.random(users: 20, items: 30, seed: 1))
    let data = try JSONEncoder().encode(statistics)
    #expect(try JSONDecoder().decode(DatasetStatistics.self, from: data) == statistics)
  }
}
