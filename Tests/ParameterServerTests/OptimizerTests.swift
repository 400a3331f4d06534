import Foundation
import ParameterServer
import Settings
import Tables
import TestSupport
import Testing

@Suite("Optimizers on a server")
struct OptimizerTests {
  private static func table(width: Int, value: Float) -> TableSpec {
    TableSpec(name: "w", rows: 1, width: width, initializer: .constant(value))
  }

  @Test("SGD: two steps by hand")
  func sgd() throws {
    var cluster = try TestCluster([Self.table(width: 2, value: 1)], rate: LearningRate(0.5))
    cluster.pushEverywhere([0: [0: [1, -2]]], version: 0)
    cluster.pushEverywhere([0: [0: [0.5, 0]]], version: 1)
    #expect(try cluster.pullAll(version: 2) == [[0.25, 2]])
  }

  @Test("Adagrad: with a constant gradient, step t moves by lr/√t")
  func adagrad() throws {
    var cluster = try TestCluster(
      [Self.table(width: 1, value: 0)], kind: Adagrad(), rate: LearningRate(0.1))
    var expected = 0.0
    for version in 0..<20 {
      cluster.pushEverywhere([0: [0: [3]]], version: UInt64(version))
      expected -= 0.1 / Double(version + 1).squareRoot()
      let value = try cluster.pullAll(version: UInt64(version + 1))[0][0]
      #expect(abs(Double(value) - expected) < 1e-6)
    }
  }

  @Test("row-wise Adagrad follows FBGEMM's formula in double precision, row by row")
  func rowwiseAdagrad() throws {
    let width = 20
    var random = SeededGenerator(seed: 6)
    var cluster = try TestCluster(
      [TableSpec(name: "w", rows: 2, width: width, initializer: .constant(0.5))],
      kind: RowwiseAdagrad(epsilon: 1e-4), rate: LearningRate(0.05))
    var weights = [[Double]](repeating: [Double](repeating: 0.5, count: width), count: 2)
    var sums = [0.0, 0.0]
    for version in 0..<40 {
      // The second row has a gradient only sometimes.
      var gradients: [Int: [Float]] = [0: random.values(width)]
      if version % 3 == 0 { gradients[1] = random.values(width) }
      cluster.pushEverywhere([0: gradients], version: UInt64(version))
      for (row, gradient) in gradients {
        sums[row] += gradient.reduce(0) { $0 + Double($1) * Double($1) } / Double(width)
        for index in 0..<width {
          weights[row][index] -= 0.05 / (sums[row].squareRoot() + 1e-4) * Double(gradient[index])
        }
      }
    }
    let values = try cluster.pullAll(version: 40)[0]
    for (value, expected) in zip(values, weights.joined()) {
      #expect(abs(Double(value) - expected) < 2e-6)
    }
  }

  @Test("row-wise Adagrad: two steps by hand")
  func rowwiseAdagradByHand() throws {
    var cluster = try TestCluster(
      [Self.table(width: 2, value: 1)], kind: RowwiseAdagrad(), rate: LearningRate(0.5))
    cluster.pushEverywhere([0: [0: [3, 4]]], version: 0)
    cluster.pushEverywhere([0: [0: [0, 5]]], version: 1)
    // Means of squares: 12.5, then 12.5 more.
    let first = 0.5 / 12.5.squareRoot()
    let values = try cluster.pullAll(version: 2)[0].map(Double.init)
    #expect(abs(values[0] - (1 - 3 * first)) < 1e-6)
    #expect(abs(values[1] - (1 - 4 * first - 0.5)) < 1e-6)
  }

  @Test("optimizers and their states have names that nothing else has")
  func names() throws {
    #expect(Set(OptimizerRegistry.names).count == OptimizerRegistry.names.count)
    let settings = OptimizerRegistry.settings.flatMap { $0.settings.map(\.name) }
    #expect(Set(settings).count == settings.count)
    for name in OptimizerRegistry.names {
      let optimizer = try #require(OptimizerRegistry.make(name, SettingStore()))
      #expect(optimizer.description.name == name)
      let states = optimizer.states.map(\.name)
      #expect(Set(states).count == states.count)
      #expect(!states.contains { ["rows", "updates"].contains($0) })
      try optimizer.validate()
    }
    #expect(OptimizerRegistry.make("adamw", SettingStore()) == nil)
  }

  @Test(
    "Adam: with a constant gradient, every bias-corrected step moves by lr",
    arguments: Adam.Mode.allCases)
  func adamConstantGradient(mode: Adam.Mode) throws {
    var cluster = try TestCluster(
      [Self.table(width: 2, value: 0)], kind: Adam(mode: mode), rate: LearningRate(0.01))
    for version in 0..<50 {
      cluster.pushEverywhere([0: [0: [5, -0.02]]], version: UInt64(version))
      let values = try cluster.pullAll(version: UInt64(version + 1))[0]
      let distance = 0.01 * Float(version + 1)
      #expect(abs(values[0] + distance) < 2e-6 && abs(values[1] - distance) < 2e-6)
    }
  }

  @Test("Adam: after the last gradient, dense rows follow the closed form, and lazy rows stand")
  func adamZeroGradient() throws {
    // m₁ = 0.1g, v₁ = 0.001g²; step 2 without gradient has m = 0.09g, v = 0.000999g².
    let second =
      0.01 * (0.09 / (1 - 0.81)) / ((0.000999 / (1 - 0.999 * 0.999)).squareRoot())
    for (mode, expected) in [
      (Adam.Mode.dense, -0.01 - second), (.lazyExact, -0.01 - second),
      (.closed, -0.01 - second), (.lazy, -0.01),
    ] {
      var cluster = try TestCluster(
        [Self.table(width: 1, value: 0)], kind: Adam(mode: mode), rate: LearningRate(0.01))
      cluster.pushEverywhere([0: [0: [2]]], version: 0)
      cluster.pushEverywhere([:], version: 1)
      let value = try cluster.pullAll(version: 2)[0][0]
      #expect(abs(Double(value) - expected) < 1e-7, "\(mode)")
    }
  }

  @Test("Adam follows the arithmetic of PyTorch's single-tensor loop in double precision")
  func adamReference() throws {
    let width = 24
    var random = SeededGenerator(seed: 5)
    var cluster = try TestCluster(
      [Self.table(width: width, value: 0.5)], kind: Adam(mode: .dense),
      rate: LearningRate(0.001, decay: 0.5, period: 2), schedule: StepSchedule(stepsPerEpoch: 5))
    var w = [Double](repeating: 0.5, count: width)
    var m = [Double](repeating: 0, count: width)
    var v = m
    for version in 0..<60 {
      let gradient = random.values(width)
      cluster.pushEverywhere([0: [0: gradient]], version: UInt64(version))
      let t = Double(version + 1)
      let rate = 0.001 * pow(0.5, Double(version / 5) / 2)
      for index in 0..<width {
        let g = Double(gradient[index])
        m[index] += (g - m[index]) * (1 - 0.9)  // lerp_
        v[index] = v[index] * 0.999 + (1 - 0.999) * g * g  // mul_, addcmul_
        let denominator = v[index].squareRoot() / (1 - pow(0.999, t)).squareRoot() + 1e-8
        w[index] -= rate / (1 - pow(0.9, t)) * m[index] / denominator  // addcdiv_
      }
    }
    let values = try cluster.pullAll(version: 60)[0]
    for index in 0..<width { #expect(abs(Double(values[index]) - w[index]) < 2e-6) }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let kind: any RowOptimizer
    let parabolaRate: Double
    let rosenbrockRate: Double
    var testDescription: String { name }
  }

  static let optimizers = [
    Case(name: "sgd", kind: SGD(), parabolaRate: 0.1, rosenbrockRate: 1e-3),
    Case(name: "adagrad", kind: Adagrad(), parabolaRate: 1, rosenbrockRate: 0.3),
    Case(
      name: "rowwise_adagrad", kind: RowwiseAdagrad(), parabolaRate: 1, rosenbrockRate: 0.3),
    Case(name: "adam dense", kind: Adam(mode: .dense), parabolaRate: 0.1, rosenbrockRate: 0.01),
    Case(
      name: "adam lazyExact", kind: Adam(mode: .lazyExact), parabolaRate: 0.1, rosenbrockRate: 0.01
    ),
    Case(name: "adam closed", kind: Adam(mode: .closed), parabolaRate: 0.1, rosenbrockRate: 0.01),
    Case(name: "adam lazy", kind: Adam(mode: .lazy), parabolaRate: 0.1, rosenbrockRate: 0.01),
  ]

  @Test("every optimizer finds the bottom of a parabola", arguments: optimizers)
  func parabola(optimizer: Case) throws {
    let minimum: [Float] = [1, -1, 2]
    var cluster = try TestCluster(
      [Self.table(width: 3, value: 0)], kind: optimizer.kind,
      rate: LearningRate(optimizer.parabolaRate))
    var point = [Float](repeating: 0, count: 3)
    for version in 0..<1_000 {
      let gradient = zip(point, minimum).map { 2 * ($0 - $1) }
      cluster.pushEverywhere([0: [0: gradient]], version: UInt64(version))
      point = try cluster.pullAll(version: UInt64(version + 1))[0]
    }
    for (found, wanted) in zip(point, minimum) { #expect(abs(found - wanted) < 1e-3) }
  }

  @Test("every optimizer walks down Rosenbrock's valley", arguments: optimizers)
  func rosenbrock(optimizer: Case) throws {
    var cluster = try TestCluster(
      [Self.table(width: 2, value: 0)], kind: optimizer.kind,
      rate: LearningRate(optimizer.rosenbrockRate))
    var point: [Float] = [0, 0]
    for version in 0..<20_000 {
      let (x, y) = (point[0], point[1])
      let gradient = [-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)]
      cluster.pushEverywhere([0: [0: gradient]], version: UInt64(version))
      point = try cluster.pullAll(version: UInt64(version + 1))[0]
    }
    #expect(abs(point[0] - 1) < 0.05 && abs(point[1] - 1) < 0.1, "\(point)")
  }

  @Test("the learning rate of the model decays by epoch, the discriminator's stays")
  func schedule() {
    let configuration = OptimizerConfiguration(
      SGD(), model: LearningRate(0.1, decay: 0.96, period: 50),
      discriminator: LearningRate(0.01))
    #expect(configuration.learningRate(of: .model, epoch: 0) == 0.1)
    #expect(abs(configuration.learningRate(of: .model, epoch: 50) - 0.096) < 1e-15)
    #expect(
      abs(configuration.learningRate(of: .model, epoch: 25) - 0.1 * 0.96.squareRoot()) < 1e-15)
    #expect(configuration.learningRate(of: .discriminator, epoch: 99) == 0.01)
  }

  @Test(
    "numbers that no update rule is defined for are refused by name",
    arguments: [
      (Adam(epsilon: 0), "epsilon"), (Adam(beta1: 1), "beta1"),
      (Adam(beta2: 0.999_999_999_9), "beta2"),
      (Adam(beta1: .nan), "beta1"), (Adagrad(epsilon: -1), "epsilon"),
      (RowwiseAdagrad(epsilon: 0), "epsilon"),
    ] as [(any RowOptimizer, String)])
  func invalid(kind: any RowOptimizer, name: String) {
    let configuration = OptimizerConfiguration(
      kind, model: LearningRate(1), discriminator: LearningRate(1))
    let error = #expect(throws: ParameterServerError.self) { try configuration.validate() }
    #expect(error?.message.contains(name) == true)
  }

  @Test("a learning rate that is negative or not a number is refused with its group")
  func invalidRate() {
    for rate in [
      LearningRate(-1), LearningRate(.nan), LearningRate(1, decay: 0), LearningRate(1, period: 0),
    ] {
      let configuration = OptimizerConfiguration(
        SGD(), model: LearningRate(1), discriminator: rate)
      let error = #expect(throws: ParameterServerError.self) { try configuration.validate() }
      #expect(error?.message.contains("discriminator") == true)
    }
  }
}
