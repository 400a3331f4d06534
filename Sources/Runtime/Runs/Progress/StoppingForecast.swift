import Coordinator

/// How many epochs a run still has.
struct StoppingForecast: Sendable, Equatable {
  /// The best evaluation so far.
  struct Best: Sendable, Equatable {
    var epoch: UInt32
    var value: Double
  }

  private let plan: ProgressPlan
  private(set) var best: Best?
  /// How many evaluations in a row were not better.
  private var misses: UInt64
  /// How many epochs were finished at the last evaluation, or when this process began.
  private var evaluated: UInt32 = 0

  /// - Parameter selection: of a run that is resumed, as far as it was evaluated.
  init(_ plan: ProgressPlan, selection: ModelSelection) {
    self.plan = plan
    best = selection.best.map { Best(epoch: $0.epoch, value: $0.value) }
    misses = UInt64(selection.nonImprovingCount)
  }

  /// The first epoch of this process begins; those before it are evaluated.
  mutating func begin(_ epoch: UInt32) { evaluated = max(evaluated, epoch) }

  mutating func improved(_ value: Double, epoch: UInt32) {
    best = Best(epoch: epoch, value: value)
    misses = 0
    evaluated = epoch + 1
  }

  mutating func notImproved(_ count: UInt32, best: ModelSelection.Best?, epoch: UInt32) {
    self.best = best.map { Best(epoch: $0.epoch, value: $0.value) }
    misses = UInt64(count)
    evaluated = epoch + 1
  }

  /// How many epochs after this one the next evaluation is; 0: it is after this one.
  func epochsToEvaluation(from epoch: UInt32) -> UInt64 {
    let next = plan.evaluations.next(afterFinishing: epoch)
    let finished = UInt64(epoch) + 1
    return next > finished ? next - finished : 0
  }

  /// How many epochs are left: at least those until the patience ends if no evaluation is better
  /// any more, at most all.
  ///
  /// - Parameter reached: epochs that are trained, with the share of the present one.
  func epochsLeft(after reached: Double) -> ClosedRange<Double> {
    let most = max(0, Double(plan.evaluations.epochs) - reached)
    let patience = UInt64(plan.selection.patience)
    guard misses <= patience else { return 0...0 }
    // The first evaluation is always the best.
    let count = patience + 1 - misses + (best == nil ? 1 : 0)
    let end = plan.evaluations.next(afterFinishing: evaluated, count: count)
    return min(most, max(0, Double(end) - reached))...most
  }
}
