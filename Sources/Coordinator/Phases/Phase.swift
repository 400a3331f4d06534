/// The phase of a run, with the state that only it needs.
enum Phase: Sendable {
  case forming(Forming)
  case training(Training)
  case evaluating(Evaluation)
  case saving(Saving)
  /// A stop waits, and no work is begun. What it waits for is in ``PendingStop``.
  case draining
  case ended(RunOutcome)

  /// The tasks under way, if the phase has any.
  var tasks: TaskDispatch? {
    get {
      switch self {
      case .training(let training): training.tasks
      case .evaluating(let evaluation): evaluation.tasks
      case .forming, .saving, .draining, .ended: nil
      }
    }
    set {
      guard let newValue else { return }
      switch self {
      case .training(var training):
        training.tasks = newValue
        self = .training(training)
      case .evaluating(var evaluation):
        evaluation.tasks = newValue
        self = .evaluating(evaluation)
      case .forming, .saving, .draining, .ended: break
      }
    }
  }

  /// How far the tasks are, if the phase has any.
  func progress(in run: RunContext) -> Progress? { tasks?.progress(in: run) }

  /// What the run waits for in this phase.
  func wait(in run: RunContext) -> Wait? {
    switch self {
    case .forming(let forming): forming.wait(in: run)
    case .training, .evaluating: tasks.flatMap { $0.wait(in: run) }
    case .saving(let saving): saving.wait(in: run)
    case .draining, .ended: nil
    }
  }
}

/// What a phase does about an event: actions, and then perhaps a change of phase.
struct Step: Sendable {
  var actions: [CoordinatorAction] = []
  var transition: Transition?

  static func end(_ failure: RunFailure, after actions: [CoordinatorAction] = []) -> Step {
    Step(actions: actions, transition: .end(.failed(failure)))
  }
}

/// A change of phase. `CoordinatorState` decides what it leads to.
enum Transition: Sendable {
  /// The cluster is formed: begin or resume the run.
  ///
  /// - formedIn: seconds that this took; nil if the run began earlier in this start of the
  ///   coordinator.
  case begin(formedIn: Double?)
  /// The epoch is trained, or evaluated, or its model is saved: do what comes next.
  case concludeEpoch
  /// The final vectors are on the servers: rank. `materializingSince` is when they were begun.
  case rank(materializingSince: Double)
  case end(RunOutcome.Ending)
}
