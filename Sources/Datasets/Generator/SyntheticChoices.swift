internal import CKernels
internal import Foundation
import Tensors

/// Draws the interactions of a generated data set, user after user.
///
/// A user chooses among all items, or among ``SyntheticConfiguration/candidates`` of them if there
/// are more: one item of each of as many equal parts of the catalogue, drawn for the user. Time is
/// then proportional to users, and memory to items: the choices are passed on, not kept.
final class SyntheticChoices {
  /// Users between two reports of progress; they are cut into blocks for the lanes.
  private static let usersPerRound = 1024
  private static let usersPerBlock = 32

  private let configuration: SyntheticConfiguration
  private let scratch: [ChoiceScratch]
  /// What is known of the items so far; who is closest since then is in ``scratch``.
  private var known: KnownChoices

  /// - Parameters:
  ///   - items: q, `[I, Q]`.
  ///   - known: what is known when some users have chosen; the next are drawn.
  init(
    configuration: SyntheticConfiguration, items: Matrix, continuing known: KnownChoices? = nil
  ) {
    self.configuration = configuration
    scratch = (0..<Lanes.current.count).map { _ in ChoiceScratch(configuration, items: items) }
    self.known = known ?? KnownChoices(items: items.rows)
  }

  /// Draws the items of all users that have not chosen.
  ///
  /// - Parameters:
  ///   - report: called with how many users have chosen so far.
  ///   - append: receives the items of the next users, one list after the other; each list has
  ///     ``SyntheticConfiguration/interactionCount(of:)`` items in no order.
  func draw(
    report: (_ users: Int) throws(DatasetError) -> Void,
    append: ([Int32]) throws(DatasetError) -> Void
  ) throws(DatasetError) {
    let lanes = Lanes.current
    while known.users < configuration.users {
      let start = known.users
      try report(start)
      let end = min(configuration.users, start + Self.usersPerRound)
      let blockCount = (end - start + Self.usersPerBlock - 1) / Self.usersPerBlock
      var blocks = [[Int32]](repeating: [], count: blockCount)
      blocks.withUnsafeMutableBufferPointer { blocks in
        let blocks = blocks
        lanes.forEach(blockCount) { [scratch] block, lane in
          let first = start + block * Self.usersPerBlock
          for user in first..<min(end, first + Self.usersPerBlock) {
            blocks[block] += scratch[lane].choose(user: user)
          }
        }
      }
      let items = Array(blocks.joined())
      for item in items { known.isChosen[Int(item)] = true }
      known.users = end
      try append(items)
    }
  }

  /// What is known of the items now; the users after ``KnownChoices/users`` can be drawn from it.
  func knownChoices() -> KnownChoices {
    var known = known
    for item in known.closest.indices { known.closest[item] = closest(to: item) }
    return known
  }

  /// Every item is chosen at least once, so that item ids are dense: an item without interactions
  /// goes to the user with the highest score for it among those that it was offered to, or to any
  /// user if it was offered to none.
  ///
  /// - Returns: items that go to users who had not chosen them, by user, then by item.
  func added() -> [(user: Int, item: Int32)] {
    let owner = SyntheticDraws(seed: configuration.seed).random(.owner)
    return known.isChosen.indices.filter { !known.isChosen[$0] }
      .map { item in
        let user =
          closest(to: item).user.map(Int.init)
          ?? owner.integer(below: configuration.users, id: item)
        return (user, Int32(item))
      }
      .sorted { ($0.user, $0.item) < ($1.user, $1.item) }
  }

  private func closest(to item: Int) -> ClosestUser {
    scratch.reduce(known.closest[item]) { $0.better($1.closest(to: item)) }
  }
}

/// What is known of the items when the first users have chosen.
struct KnownChoices {
  /// How many users have chosen.
  var users = 0
  /// Whether a user has chosen the item, `[I]`.
  var isChosen: [Bool]
  /// `[I]`.
  var closest: [ClosestUser]

  init(items: Int) {
    isChosen = [Bool](repeating: false, count: items)
    closest = [ClosestUser](repeating: .none, count: items)
  }
}

/// The user with the highest score for an item; of equal scores the first user.
struct ClosestUser: BitwiseCopyable {
  var score: Float
  private var number: Int32

  static let none = ClosestUser(score: -.infinity, number: .max)

  private init(score: Float, number: Int32) {
    self.score = score
    self.number = number
  }

  init(score: Float, user: Int) {
    self.init(score: score, number: Int32(truncatingIfNeeded: user))
  }

  var user: Int32? { number == .max ? nil : number }

  func better(_ other: ClosestUser) -> ClosestUser {
    (other.score, number) > (score, other.number) ? other : self
  }
}

extension SyntheticConfiguration {
  /// How many items a user chooses: uniform in half to one and a half times the mean.
  func interactionCount(of user: Int) -> Int {
    let spread = interactionsPerUser / 2
    return interactionsPerUser - spread
      + SyntheticDraws(seed: seed).random(.interactionCount)
      .integer(below: 2 * spread + 1, id: user)
  }
}

/// The memory in which one lane draws the interactions of one user at a time.
private final class ChoiceScratch {
  private let configuration: SyntheticConfiguration
  private let draws: SyntheticDraws
  private let items: Matrix
  private let factor: Float
  private let taste: Matrix
  private var candidates: [Int32]
  private var scores: [Float]
  /// Of each item, among the users of this lane, `[I]`.
  private var closest: [ClosestUser]

  init(_ configuration: SyntheticConfiguration, items: Matrix) {
    self.configuration = configuration
    self.items = items
    draws = SyntheticDraws(seed: configuration.seed)
    factor = configuration.sharpness / configuration.preferenceVariance.squareRoot()
    taste = Matrix(rows: 1, columns: items.columns)
    candidates = (0..<Int32(min(configuration.candidates, items.rows))).map { $0 }
    scores = [Float](repeating: 0, count: candidates.count)
    closest = [ClosestUser](repeating: .none, count: items.rows)
  }

  func closest(to item: Int) -> ClosestUser { closest[item] }

  /// The items of a user, the best first.
  ///
  /// The k largest sums of a score and standard Gumbel noise are k draws without replacement from
  /// the softmax of the scores. Noise that can change neither a user's list nor an item's closest
  /// user is not computed: −ln(−ln u) ≤ −ln(1 − u), which the leading zeros of 1 − u bound.
  ///
  /// - Source: Vieira 2014, "Gumbel-max trick and weighted reservoir sampling"; Kool, van Hoof and
  ///   Welling 2019, arXiv:1903.06059.
  func choose(user: Int) -> [Int32] {
    score(user)
    let count = configuration.interactionCount(of: user)
    let random = draws.random(.choice)
    var best: [(score: Float, item: Int32)] = []
    best.reserveCapacity(count + 1)
    for start in stride(from: 0, to: scores.count, by: 4) {
      let words = random.words(id: user, index: start / 4)
      for lane in 0..<min(4, scores.count - start) {
        let item = candidates[start + lane]
        let score = scores[start + lane]
        let record = closest[Int(item)]
        let worst = best.count == count ? best[count - 1].score : -.infinity
        let zeros = (UInt32.max - words[lane]).leadingZeroBitCount
        let margin = 1e-3 + 1e-5 * score.magnitude
        let bound = score + Float(zeros + 1) * Float(M_LN2) + margin
        if bound < min(worst, record.score) { continue }
        // Strictly between 0 and 1, so that both logarithms are finite.
        let uniform = (Double(words[lane]) + 0.5) * 0x1p-32
        let sum = score - Float(log(-log(uniform)))
        closest[Int(item)] = record.better(ClosestUser(score: sum, user: user))
        if sum <= worst && best.count == count { continue }
        // After the first few, hardly any score gets in.
        best.insert((sum, item), at: best.firstIndex { $0.score < sum } ?? best.count)
        if best.count > count { best.removeLast() }
      }
    }
    return best.map(\.item)
  }

  /// Draws the user's candidates, and computes sharpness · ⟨p_u, q_i⟩ / ‖w‖ for each.
  private func score(_ user: Int) {
    NormalDistribution.fill(taste.row(0), random: draws.random(.user), id: user)
    let count = candidates.count
    if count < items.rows {
      let random = draws.random(.candidate)
      for part in 0..<count {
        let start = part * items.rows / count
        let size = (part + 1) * items.rows / count - start
        candidates[part] = Int32(start + random.integer(below: size, id: user, index: part))
      }
    }
    mrdib_row_products(
      taste.pointer, items.pointer, items.columns, candidates, count, &scores)
    for index in scores.indices { scores[index] *= factor }
  }
}
