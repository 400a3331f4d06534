import Datasets
internal import Foundation
import Tensors

/// Fits a ``ChoicePredictor`` to codes that stay as they are.
///
/// The item vectors are blocks of functions of the codes,
///
///     linear(m):      W z_m
///     product(m, l):  (A z_m) ⊙ (B z_l)
///
/// and a user is the shrunk mean of the item vectors of the history (`Tape.shrunkMeans`). So a
/// predictor with blocks of one modality knows the user by that modality, too, and nothing of the
/// others enters it. The vectors of users that a run has learned would bring it in: they were
/// fitted to all modalities together.
///
/// A product of a modality with itself is not redundant with products between modalities: without
/// it, a square of what both share would pass as an interaction of the two.
struct ChoiceProbe {
  enum Block: Equatable {
    case linear(Int)
    case product(Int, Int)
  }

  /// How a probe is fitted.
  struct Fitting {
    var seed: UInt64
    var rate = 0.01
    var usersPerStep = 64
    /// A round has every user at most once.
    var mostRounds = 40
    /// Rounds without improvement on the validation split after which fitting ends.
    var patience = 4
  }

  /// The parameters of one block.
  private struct Maps {
    let block: Block
    /// W, or A and B; `[K, D]`.
    let weights: [AdamMatrix]
    /// c, `[1, K]`.
    let strength: AdamMatrix
    /// b, `[1, K]`.
    let shift: AdamMatrix

    var all: [AdamMatrix] { weights + [strength, shift] }

    /// The same values with moments of 0.
    var restarted: Maps {
      Maps(
        block: block, weights: weights.map { AdamMatrix($0.value) },
        strength: AdamMatrix(strength.value), shift: AdamMatrix(shift.value))
    }
  }

  private let maps: [Maps]
  private let popularityWeight: AdamMatrix

  /// Products of a block.
  static let productCount = 32
  /// Item vectors are at most this wide per linear block.
  static let mostLinear = 64

  /// - Parameters:
  ///   - codes: standardized.
  ///   - start: probes whose blocks begin with their fitted values; the others' begin at random.
  ///   - popularityWeight: α at the start.
  init(
    _ blocks: [Block], codes: [ModalityCodes], startingFrom start: [ChoiceProbe] = [],
    popularityWeight: Float, seed: UInt64
  ) {
    let fitted = start.flatMap(\.maps)
    maps = blocks.enumerated().map { position, block in
      fitted.first { $0.block == block }?.restarted
        ?? Self.maps(block, codes: codes, position: position, seed: seed)
    }
    self.popularityWeight = AdamMatrix(
      Matrix(rows: 1, columns: 1, elements: [popularityWeight]))
  }

  private static func maps(
    _ block: Block, codes: [ModalityCodes], position: Int, seed: UInt64
  ) -> Maps {
    // A tenth of a product's scale, so that scores begin small.
    let weights =
      switch block {
      case .linear(let modality):
        [linear(codes[modality].vectors.columns, position, seed)]
      case .product(let left, let right):
        [
          random(codes[left].vectors.columns, scale: 1, 2 * position, seed),
          random(codes[right].vectors.columns, scale: 0.3, 2 * position + 1, seed),
        ]
      }
    let width = weights[0].rows
    let strength = Matrix(rows: 1, columns: width)
    strength.fill(Float(log(10.0)))
    return Maps(
      block: block, weights: weights.map(AdamMatrix.init), strength: AdamMatrix(strength),
      shift: AdamMatrix(Matrix(rows: 1, columns: width)))
  }

  /// The identity for codes that are narrow enough.
  private static func linear(_ columns: Int, _ position: Int, _ seed: UInt64) -> Matrix {
    guard columns <= mostLinear else {
      return random(columns, rows: mostLinear, scale: 0.3, 2 * position, seed)
    }
    let weight = Matrix(rows: columns, columns: columns)
    for index in 0..<columns { weight[index, index] = 0.3 }
    return weight
  }

  /// Normal numbers with which a unit of code has a deviation of `scale`, `[rows, columns]`.
  private static func random(
    _ columns: Int, rows: Int = productCount, scale: Float, _ id: Int, _ seed: UInt64
  ) -> Matrix {
    let draws = CounterRandom(
      seed: seed, stream: .decomposition, epoch: DecompositionDraw.maps.rawValue, step: id)
    let weight = Matrix(rows: rows, columns: columns)
    for row in 0..<rows { NormalDistribution.fill(weight.row(row), random: draws, id: row) }
    let factor = scale / Float(columns).squareRoot()
    for index in 0..<weight.count { weight.pointer[index] *= factor }
    return weight
  }

  private var parameters: [AdamMatrix] { maps.flatMap(\.all) + [popularityWeight] }

  // MARK: Forward

  private struct Forward {
    let items: Variable
    let strength: Variable
    let shift: Variable
    let popularityWeight: Variable
    /// In the order of ``parameters``.
    let leaves: [Variable]
  }

  /// - Parameter leaf: makes a variable of a parameter.
  private func record(
    on tape: Tape, _ codes: [ModalityCodes], leaf: (Matrix) -> Variable
  ) -> Forward {
    var leaves: [Variable] = []
    var blocks: [(items: Variable, strength: Variable, shift: Variable)] = []
    let inputs = codes.map { tape.constant($0.vectors) }
    for map in maps {
      let own = map.all.map { leaf($0.value) }
      leaves += own
      let items =
        switch map.block {
        case .linear(let modality): tape.linear(inputs[modality], own[0])
        case .product(let left, let right):
          tape.hadamard(
            tape.linear(inputs[left], own[0]), tape.linear(inputs[right], own[1]))
        }
      blocks.append((items, own[own.count - 2], own[own.count - 1]))
    }
    let weight = leaf(popularityWeight.value)
    return Forward(
      items: tape.concatenateColumns(blocks.map(\.items)),
      strength: tape.concatenateColumns(blocks.map(\.strength)),
      shift: tape.concatenateColumns(blocks.map(\.shift)), popularityWeight: weight,
      leaves: leaves + [weight])
  }

  private func loss(
    _ batch: ChoiceBatch, _ data: ChoiceData, _ forward: Forward, on tape: Tape
  ) -> Variable {
    let histories = SparseMatrix(histories: batch.histories, itemCount: data.itemCount)
    let users = tape.shrunkMeans(
      tape.multiply(histories, forward.items), counts: batch.histories.map(\.count),
      strength: forward.strength, shift: forward.shift)
    return tape.choiceLoss(
      users: users, items: forward.items,
      popularity: (data.logPopularity, forward.popularityWeight), batch: batch)
  }

  /// The distribution over the held-out items that the parameters stand for, with whole histories.
  private func predictor(_ fold: ChoiceFold) -> ChoicePredictor {
    let tape = Tape()
    let forward = record(on: tape, fold.codes) { tape.constant($0) }
    let data = fold.whole
    let histories = SparseMatrix(
      histories: (0..<data.userCount).map { data.histories[$0] }, itemCount: data.itemCount)
    let users = tape.shrunkMeans(
      tape.multiply(histories, forward.items),
      counts: (0..<data.userCount).map { data.histories.degree($0) },
      strength: forward.strength, shift: forward.shift)
    // The tape is not reused, so its matrices can be kept.
    return ChoicePredictor(
      users: users.value, items: forward.items.value.gathered(fold.heldOutItems),
      popularityWeight: popularityWeight.value.pointer[0])
  }

  // MARK: Fitting

  /// Fits to the training interactions, and keeps the parameters of the round that is the most
  /// likely on the validation events of the held-out items.
  ///
  /// - Parameter onStep: called before every step; throws to stop.
  /// - Returns: the predictor of these parameters.
  func fit(
    _ fold: ChoiceFold, _ fitting: Fitting, onStep: () throws -> Void
  ) throws -> ChoicePredictor {
    let tape = Tape()
    let data = fold.fitted
    var best = (value: -Double.infinity, round: 0, predictor: predictor(fold))
    var kept = parameters.map(\.value.copied)
    for round in 0..<fitting.mostRounds {
      let order = data.order(round: round, seed: fitting.seed)
      for first in stride(from: 0, to: order.count, by: fitting.usersPerStep) {
        try onStep()
        let users = order[first..<min(first + fitting.usersPerStep, order.count)]
        let batch = data.batch(users, round: round, seed: fitting.seed)
        guard batch.targetCount > 0 else { continue }
        step(batch, fold, on: tape, rate: fitting.rate)
      }
      let current = predictor(fold)
      let value = current.validation(fold.heldOut)
      if value > best.value {
        best = (value, round, current)
        kept = parameters.map(\.value.copied)
      } else if round - best.round >= fitting.patience {
        break
      }
    }
    for (parameter, value) in zip(parameters, kept) { parameter.value.copy(from: value) }
    return best.predictor
  }

  private func step(_ batch: ChoiceBatch, _ fold: ChoiceFold, on tape: Tape, rate: Double) {
    let forward = record(on: tape, fold.fittedCodes) { tape.parameter($0) }
    tape.backward(from: [(loss(batch, fold.fitted, forward, on: tape), 1)])
    for (parameter, leaf) in zip(parameters, forward.leaves) {
      if let gradient = leaf.gradient { parameter.step(gradient, rate: rate) }
    }
    tape.reset()
  }
}
