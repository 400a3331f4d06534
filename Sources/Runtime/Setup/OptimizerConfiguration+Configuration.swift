import ParameterServer
import RunConfiguration

extension OptimizerConfiguration {
  /// The optimizer that a configuration asks for.
  init(_ configuration: RunConfiguration) {
    let training = configuration.training
    let kind: Kind =
      switch training.optimizer {
      case .sgd: .sgd
      case .adagrad: .adagrad()
      case .adam:
        .adam(
          beta1: training.adamBeta1, beta2: training.adamBeta2, epsilon: training.adamEpsilon,
          mode: AdamMode(training.adamMode))
      }
    self.init(
      kind: kind,
      model: LearningRate(
        training.learningRate, decay: training.decay, period: training.decayPeriod),
      discriminator: LearningRate(configuration.redundancy.learningRate))
  }
}

extension AdamMode {
  fileprivate init(_ mode: RunConfiguration.AdamMode) {
    self =
      switch mode {
      case .dense: .dense
      case .lazyExact: .lazyExact
      case .lazy: .lazy
      }
  }
}
