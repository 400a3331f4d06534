import Recommenders
import Reports
import Tensors
import Testing

@Suite struct MeasurementTests {
  @Test("the plane of an elongated cloud has its long direction first, and true shares of variance")
  func plane() throws {
    // Independent columns with standard deviations 1, 3, 0 and 2: 14² / (1 + 81 + 16) = 2.
    let rows = 4000
    let matrix = Matrix(rows: rows, columns: 4)
    let random = CounterRandom(seed: 1, stream: .sample)
    for row in 0..<rows {
      NormalDistribution.fill(matrix.row(row), random: random, id: row)
      for (column, scale) in [Float(1), 3, 0, 2].enumerated() { matrix[row, column] *= scale }
    }
    let plane = try #require(PrincipalPlane(ModalityCodes(name: "a", vectors: matrix)))
    #expect(abs(plane.shares.x - 9.0 / 14) < 0.02 && abs(plane.shares.y - 4.0 / 14) < 0.02)
    #expect(abs(plane.dimension - 2) < 0.1)
    // The first coordinate is that of the column of the largest deviation, up to scale.
    let ratios = (0..<rows).filter { abs(matrix[$0, 1]) > 3 }.map {
      plane.points[$0].x / Double(matrix[$0, 1])
    }
    #expect((ratios.max() ?? 0) - (ratios.min() ?? 1) < 0.15 * (ratios.max() ?? 0))
  }

  @Test("equal vectors have no plane")
  func noPlane() {
    let matrix = Matrix(rows: 5, columns: 3)
    matrix.fill(2)
    #expect(PrincipalPlane(ModalityCodes(name: "a", vectors: matrix)) == nil)
  }

  @Test("neighbours are those of the largest cosines, whatever the lengths")
  func neighbours() {
    let vectors = Matrix(
      rows: 5, columns: 2, elements: [1, 0, 100, 1, 0, 0.1, -1, 0, 0, 0])
    let nearest = NearestItems(vectors)
    let found = nearest.nearest(to: 0, count: 3)
    #expect(found.map(\.item) == [1, 2, 4])
    #expect(abs(found[0].cosine - 0.99995) < 1e-5 && found[1].cosine == 0)
    #expect(nearest.nearest(to: 4, count: 3).isEmpty)
  }

  @Test("coverage, Gini index and popularity of lists, counted by hand")
  func catalogue() {
    let use = CatalogueUse(
      counts: [4, 0, 2, 0], popularity: [10, 5, 3, 2], userCount: 3, listedUsers: 3)
    #expect(use.coverage == 0.5)
    // Ascending counts 0, 0, 2, 4: (1·2 + 3·4) / (3·6).
    #expect(abs(use.gini - 14.0 / 18) < 1e-12)
    // Ascending 2, 3, 5, 10: (−3·2 − 3 + 5 + 3·10) / (3·20).
    #expect(abs(use.trainingGini - 26.0 / 60) < 1e-12)
    // (4·10 + 2·3) / 6 and (10² + 5² + 3² + 2²) / 20.
    #expect(use.meanPopularity == 46.0 / 6)
    #expect(use.trainingMeanPopularity == 6.9)
    let twoThirds = 4.0 / 6
    #expect(use.share(of: [4, 0, 2, 0], onMostPopular: 0.5) == twoThirds)
    let curve = use.concentration(of: [4, 0, 2, 0])
    #expect(curve.map(\.share) == [0, twoThirds, twoThirds, 1, 1])
    #expect(curve.last?.items == 1)
  }

  @Test("a sample is drawn without replacement, keeps the order, and is always the same")
  func sample() {
    let all = Array(0..<5000)
    let sample = CatalogueUse.sample(all, count: 300)
    #expect(Set(sample).count == 300 && sample == sample.sorted())
    #expect(sample == CatalogueUse.sample(all, count: 300))
    // The mean of 300 of 5000: its standard deviation is about 80.
    #expect(abs(sample.reduce(0, +) / 300 - 2500) < 400)
    #expect(CatalogueUse.sample([3, 1], count: 5) == [3, 1])
  }
}
