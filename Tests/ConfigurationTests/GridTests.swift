import Configuration
import Recommenders
import Settings
import Testing

private func grid(_ yaml: String, _ assignments: String...) throws -> ConfigurationGrid {
  try ConfigurationGrid(
    requested: [ConfigurationLayer(yaml: yaml, label: "grid.yaml")]
      + assignments.map { try ConfigurationLayer(assignment: $0) })
}

private func message(_ yaml: String, _ assignments: String...) throws -> String {
  try #require(throws: ConfigurationError.self) {
    try ConfigurationGrid(
      requested: [ConfigurationLayer(yaml: yaml, label: "grid.yaml")]
        + assignments.map { try ConfigurationLayer(assignment: $0) })
  }.description
}

private func texts(_ grid: ConfigurationGrid) -> [String] {
  grid.points.map { $0.map { "\($0.name)=\($0.value)" }.joined(separator: " ") }
}

@Suite struct GridTests {
  @Test("points are the product in the order of hyper_parameters, the last name fastest")
  func order() throws {
    let grid = try grid(
      """
      alpha1: [5e-3, 0.05]
      topk: [5, 20]
      seed: [999, 1, 2]
      hyper_parameters: [seed, alpha1]
      """)
    #expect(
      texts(grid) == [
        "seed=999 alpha1=0.005", "seed=999 alpha1=0.05", "seed=1 alpha1=0.005",
        "seed=1 alpha1=0.05", "seed=2 alpha1=0.005", "seed=2 alpha1=0.05",
      ])
    let point = try resolver.resolve(requested: grid.layers + grid.points[3].map(\.layer))
    #expect(point.training.seed == 1)
    #expect(point.mrdib.bottleneckWeight == 0.05)
    #expect(point.selection.cutoffs == [5, 20])
    #expect(point.source(of: "seed")?.description == "grid.yaml:3:13")
  }

  @Test("without hyper_parameters, or with an empty list of them, there is one point")
  func onePoint() throws {
    for yaml in ["topk: [5, 20]", "hyper_parameters: []", "hyper_parameters:", ""] {
      #expect(try grid(yaml).points.count == 1)
    }
  }

  @Test("a single value is a list of one, and a list of lists has lists as values")
  func scalarsAndLists() throws {
    let grid = try grid(
      "lr: 1e-3\ntopk: [[20], [5, 20]]\nhyper_parameters: [learning_rate, topk]")
    #expect(texts(grid) == ["learning_rate=0.001 topk=[20]", "learning_rate=0.001 topk=[5, 20]"])
  }

  @Test("a later layer replaces an axis by other values or by one, and the list of names")
  func overriding() throws {
    let yaml = "alpha1: [1, 2]\nlr: [0.1, 0.2]\nhyper_parameters: [alpha1, lr]"
    #expect(
      texts(try grid(yaml, "learning_rate=0.5", "alpha1=[3, 4]")) == [
        "alpha1=3 learning_rate=0.5", "alpha1=4 learning_rate=0.5",
      ])
    #expect(
      texts(try grid(yaml, "hyper_parameters=[seed]", "seed=[7,8]", "lr=1", "alpha1=1"))
        == ["seed=7", "seed=8"])
  }

  @Test("a single value that replaces a list is named with both places")
  func replacedLists() throws {
    let yaml = "seed: [1, 2, 3]\nhyper_parameters: [seed]"
    let sentences = try grid(yaml, "seed=7").replacedLists
    #expect(sentences.count == 1)
    #expect(sentences.first?.contains("the only value of seed replaces the 3 values") == true)
    #expect(sentences.first?.contains("grid.yaml:1") == true)
    #expect(try grid(yaml).replacedLists.isEmpty)
    #expect(try grid(yaml, "seed=[7, 8]").replacedLists.isEmpty)
    #expect(try grid("seed: 1\nhyper_parameters: [seed]", "seed=7").replacedLists.isEmpty)
  }

  @Test(
    "an error in a grid names its place",
    arguments: [
      (
        "seed: 1\nhyper_parameters: [seed, alpha1x]",
        "grid.yaml:2:26: there is no setting 'alpha1x'; did you mean 'alpha1'?"
      ),
      (
        "hyper_parameters: [lr, learning_rate]\nlr: [1]",
        "grid.yaml:1:24: hyper_parameters lists 'learning_rate' more than once"
      ),
      (
        "hyper_parameters:\n- alpha1\n- alpha2\nalpha1: [1]",
        "grid.yaml:3:3: hyper_parameters lists 'alpha2', but nothing gives it values"
      ),
      ("hyper_parameters: [[seed]]", "grid.yaml:1:20: hyper_parameters holds a list of 1"),
      ("hyper_parameters: {a: 1}", "grid.yaml:1:19: hyper_parameters holds a nested mapping"),
      ("seed: []\nhyper_parameters: [seed]", "grid.yaml:1:7: seed is an empty list"),
      (
        "alpha1: [0.01, 5, 1e-2]\nhyper_parameters: [alpha1]",
        "grid.yaml:1:19: alpha1 has the value 0.01 more than once (also grid.yaml:1:10)"
      ),
      (
        "alpha1:\n- 0.1\n- ten\nhyper_parameters: [alpha1]",
        "grid.yaml:3:3: alpha1 is 'ten'; expected a number, 0, or from 1e-09"
      ),
      ("seed: [1, ~]\nhyper_parameters: [seed]", "grid.yaml:1:11: seed has no value"),
      ("lr: [1]\nlearning_rate: [2]\nhyper_parameters: [lr]", "grid.yaml:2:1: 'learning_rate' and"),
      ("epoch: 3\nseed: 1\nhyper_parameters: [seed]", "grid.yaml:1:1: there is no setting 'epoch'"),
    ])
  func errors(yaml: String, expected: String) throws {
    let message = try message(yaml)
    #expect(message.hasPrefix(expected), "\(message)")
  }

  @Test("a grid with too many points is refused before it is made")
  func tooLarge() throws {
    let values = (1...101).map(String.init).joined(separator: ", ")
    let message = try message(
      "seed: [\(values)]\nepochs: [\(values)]\nhyper_parameters: [seed, epochs]")
    #expect(message.hasPrefix("grid.yaml:3:19: this grid has more than 10000 points"))
    #expect(message.contains("--coordinate"))
  }

  @Test("a point whose model does not exist is refused where the grid names it")
  func unknownModel() throws {
    let grid = try grid("model: [bpr, vbrp]\nhyper_parameters: [model]")
    let error = try #require(throws: ConfigurationError.self) {
      try resolver.resolve(requested: grid.layers + grid.points[1].map(\.layer))
    }
    #expect(error.description.hasPrefix("grid.yaml:1:14: there is no model 'vbrp'"))
  }

  @Test("a command that makes one run refuses a grid and says which command takes it")
  func gridElsewhere() throws {
    let message = try message(of: "seed: 1\nhyper_parameters: [seed]")
    #expect(message.hasPrefix("run.yaml:2:1: 'hyper_parameters'") && message.contains("sweep"))
  }
}

@Test("configurations that differ in the seed alone share one digest but not the other")
func digestAcrossSeeds() throws {
  let first = try resolve("seed: 1\nalpha1: 0.1")
  let second = try resolve("seed: 2\nalpha1: 0.1\nworkers: 5")
  let third = try resolve("seed: 1\nalpha1: 0.2")
  #expect(first.digestAcrossSeeds == second.digestAcrossSeeds)
  #expect(first.digest != second.digest)
  #expect(first.digestAcrossSeeds != third.digestAcrossSeeds)
}
