internal import Foundation
import Tensors

/// Mutual information of two modalities' codes over the items, by a discriminator that is fitted on
/// some items and measured on others, in nats.
///
///     I ≥ ln N + mean_i ln softmax_j(f(z_{v,i}, z_{t,j}))[i],  f(v, t) = ⟨g(v), h(t)⟩
///
/// over N held-out items. g and h are a linear map plus a hidden layer each, of the discriminator's
/// own: nothing was trained to deceive it. The bound cannot exceed ln N.
///
/// - Source: van den Oord, Li and Vinyals 2018, arXiv:1807.03748; Poole et al. 2019,
///   arXiv:1905.06922 (InfoNCE with a separable critic).
package struct DiscriminatorInformation: Sendable, Equatable {
  package let value: Double
  /// ln N, which the value cannot exceed.
  package let limit: Double

  /// A fifth of the items is measured, a fifth says when fitting ends.
  private static let foldCount = 5
  /// N is at most this.
  private static let mostMeasured = 2048
  private static let itemsPerStep = 256
  private static let mostRounds = 200
  private static let patience = 15
  private static let mostStepsPerRound = 32
  /// Deviations of the noise on codes in fitting, which keeps the discriminator from learning items
  /// by heart; the checked items choose.
  private static let noises: [Float] = [0, 0.3, 1]

  /// - Parameter onStep: called before every step; throws to stop.
  package init(
    _ first: ModalityCodes, _ second: ModalityCodes, seed: UInt64,
    onStep: () throws -> Void = {}
  ) throws {
    let codes = (first.standardized.vectors, second.standardized.vectors)
    let count = codes.0.rows
    let folds = ItemFolds(count: count, foldCount: Self.foldCount, seed: seed)
    let fitted = (0..<count).filter { folds.fold(of: $0) > 1 }
    let checked = (0..<count).filter { folds.fold(of: $0) == 1 }.prefix(Self.mostMeasured)
    let measured = (0..<count).filter { folds.fold(of: $0) == 0 }.prefix(Self.mostMeasured)
    limit = log(Double(max(1, measured.count)))
    guard fitted.count > 1, measured.count > 1, checked.count > 1 else {
      value = 0
      return
    }
    let tape = Tape()
    var best = (checked: 0.0, measured: 0.0)
    for noise in Self.noises {
      var critic = Critic(codes.0.columns, codes.1.columns, noise: noise, seed: seed)
      func bound(_ items: some RandomAccessCollection<Int>) -> Double {
        defer { tape.reset() }
        return log(Double(items.count)) - Double(critic.loss(codes, items, on: tape).scalar)
      }
      var reached = (value: -Double.infinity, round: 0)
      for round in 0..<Self.mostRounds {
        let order = Self.order(fitted, round: round, seed: seed)
        for start in stride(from: 0, to: order.count, by: Self.itemsPerStep) {
          try onStep()
          let items = order[start..<min(start + Self.itemsPerStep, order.count)]
          if items.count > 1 { critic.step(codes, items, on: tape) }
        }
        let value = bound(checked)
        if value > reached.value {
          reached = (value, round)
          // Not below 0, which a discriminator that always says the same has.
          if value > best.checked { best = (value, bound(measured)) }
        } else if round - reached.round >= Self.patience {
          break
        }
      }
    }
    value = best.measured
  }

  /// The items of a round in random order.
  private static func order(_ items: [Int], round: Int, seed: UInt64) -> ArraySlice<Int> {
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.order.rawValue, step: round)
    return items.map { (key: random.words(id: $0).y, item: $0) }
      .sorted { ($0.key, $0.item) < ($1.key, $1.item) }.map(\.item)
      .prefix(itemsPerStep * mostStepsPerRound)
  }
}

/// f(v, t) = ⟨g(v), h(t)⟩ with g(x) = W x + V relu(M x + m) + b, and h likewise.
private struct Critic {
  private static let hidden = 64
  private static let width = 32
  private static let rate = 0.003
  /// Pulls the maps towards 0, which few items need.
  private static let decay: Float = 1e-3

  /// Per side W, M, m, V, b.
  private let sides: [[AdamMatrix]]
  private let noise: Float
  private let seed: UInt64
  private var stepCount = 0

  init(_ firstWidth: Int, _ secondWidth: Int, noise: Float, seed: UInt64) {
    self.noise = noise
    self.seed = seed
    sides = [firstWidth, secondWidth].enumerated().map { side, columns in
      func map(_ rows: Int, _ columns: Int, _ id: Int) -> AdamMatrix {
        let matrix = Matrix(rows: rows, columns: columns)
        let random = CounterRandom(
          seed: seed, stream: .decomposition, epoch: DecompositionDraw.discriminator.rawValue,
          step: 4 * side + id)
        for row in 0..<rows { NormalDistribution.fill(matrix.row(row), random: random, id: row) }
        for index in 0..<matrix.count {
          matrix.pointer[index] *= 0.2 / Float(columns).squareRoot()
        }
        return AdamMatrix(matrix)
      }
      return [
        map(Self.width, columns, 0), map(Self.hidden, columns, 1),
        AdamMatrix(Matrix(rows: 1, columns: Self.hidden)), map(Self.width, Self.hidden, 2),
        AdamMatrix(Matrix(rows: 1, columns: Self.width)),
      ]
    }
  }

  /// The loss of recognising each item's partner among those of `items`, nats.
  func loss(
    _ codes: (Matrix, Matrix), _ items: some RandomAccessCollection<Int>, on tape: Tape
  ) -> Variable {
    record([codes.0, codes.1].map { gathered(items, of: $0, on: tape) }, on: tape) {
      tape.constant($0)
    }.loss
  }

  private func gathered(
    _ items: some RandomAccessCollection<Int>, of matrix: Matrix, on tape: Tape
  ) -> Matrix {
    let result = tape.matrix(rows: items.count, columns: matrix.columns)
    for (row, item) in items.enumerated() {
      _ = result.row(row).update(fromContentsOf: matrix.row(item))
    }
    return result
  }

  /// - Parameter inputs: rows of both codes, those of an item at the same place.
  private func record(
    _ inputs: [Matrix], on tape: Tape, leaf: (Matrix) -> Variable
  ) -> (loss: Variable, leaves: [[Variable]]) {
    let leaves = sides.map { $0.map { leaf($0.value) } }
    let outputs = zip(inputs, leaves).map { matrix, own in
      let x = tape.constant(matrix)
      let hidden = tape.relu(tape.linear(x, own[1], bias: own[2]))
      return tape.add(tape.linear(x, own[0]), tape.linear(hidden, own[3], bias: own[4]))
    }
    var batch = ChoiceBatch()
    for row in 0..<inputs[0].rows { batch.append(history: [], targets: [Int32(row)]) }
    let loss = tape.choiceLoss(users: outputs[0], items: outputs[1], popularity: nil, batch: batch)
    return (loss, leaves)
  }

  mutating func step(
    _ codes: (Matrix, Matrix), _ items: some RandomAccessCollection<Int>, on tape: Tape
  ) {
    let inputs = [codes.0, codes.1].enumerated().map { side, matrix in
      let rows = gathered(items, of: matrix, on: tape)
      addNoise(to: rows, side: side, on: tape)
      return rows
    }
    let recorded = record(inputs, on: tape) { tape.parameter($0) }
    tape.backward(from: [(recorded.loss, 1)])
    for (parameters, leaves) in zip(sides, recorded.leaves) {
      for (parameter, leaf) in zip(parameters, leaves) {
        guard let gradient = leaf.takeGradient() else { continue }
        BLAS.accumulate(
          parameter.value.pointer, scaledBy: Self.decay, into: gradient.pointer,
          count: gradient.count)
        parameter.step(gradient, rate: Self.rate)
      }
    }
    tape.reset()
    stepCount += 1
  }

  private func addNoise(to rows: Matrix, side: Int, on tape: Tape) {
    guard noise > 0 else { return }
    let random = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.noise.rawValue,
      step: 2 * stepCount + side)
    let values = tape.matrix(rows: rows.rows, columns: rows.columns)
    NormalDistribution.fill(values.elements, random: random, id: 0)
    BLAS.accumulate(values.pointer, scaledBy: noise, into: rows.pointer, count: rows.count)
  }
}
