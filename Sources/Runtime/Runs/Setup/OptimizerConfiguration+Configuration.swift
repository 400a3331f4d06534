import Configuration
import ParameterServer
import Recommenders
import Settings

extension OptimizerConfiguration {
  /// The optimizer that a configuration asks for.
  package init(_ configuration: RunConfiguration) {
    let training = configuration.training
    self.init(
      configuration.optimizer,
      model: LearningRate(
        training.learningRate, decay: training.decay, period: training.decayPeriod),
      discriminator: LearningRate(configuration.values[EstimatorSettings.learningRate]),
      moments: training.momentPrecision, expiryEpochs: training.expiryEpochs)
  }

  /// Checks the settings before any server is started with them.
  ///
  /// - Throws: ``RuntimeError`` that names the setting.
  func checkSettings() throws {
    do {
      try validate()
    } catch {
      throw RuntimeError(exitCode: .configuration, message: error.message)
    }
  }
}
