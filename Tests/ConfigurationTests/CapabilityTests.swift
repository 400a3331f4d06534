import Configuration
import ParameterServer
import Recommenders
import Settings
import Testing

@Test("every optimizer of the registry can be selected, with the settings that it declares")
func optimizers() throws {
  for name in OptimizerRegistry.names {
    let configuration = try resolve(setting: "optimizer=\(name)")
    #expect(configuration.optimizer.description.name == name)
  }
  for (optimizer, settings) in OptimizerRegistry.settings {
    for setting in settings {
      #expect(setting.name.hasPrefix("\(optimizer)_"))
      #expect(ConfigurationKeys.all.contains { $0.name == setting.name }, "\(setting.name)")
    }
  }
}

@Test("settings reach the optimizer, and those of another one have no effect")
func optimizerSettings() throws {
  let adam = try resolve(setting: "adam_mode=lazy", "adam_beta1=0.5", "adam_epsilon=1e-6")
  let rule = try #require(adam.optimizer as? Adam)
  #expect(rule.mode == .lazy && rule.beta1 == 0.5 && rule.beta2 == 0.999 && rule.epsilon == 1e-6)
  let rowwise = try resolve(
    setting: "optimizer=rowwise_adagrad", "rowwise_adagrad_epsilon=0.001", "adagrad_epsilon=0.1")
  #expect((rowwise.optimizer as? RowwiseAdagrad)?.epsilon == 0.001)
  #expect(rowwise.settingsWithoutEffect.count == 1)
  #expect(rowwise.settingsWithoutEffect.first?.contains("optimizer adagrad") == true)
}

@Test("an unknown optimizer or mode is refused with the list of known ones")
func unknownOptimizer() throws {
  #expect(
    try message(of: "optimizer: adamm").contains("adam, adagrad, rowwise_adagrad or sgd"))
  #expect(try message(of: "adam_mode: lazzy").contains("lazy_exact, dense, closed or lazy"))
  #expect(try message(of: "adam_mode: lazzy").contains("did you mean 'lazy'?"))
}

@Test("metrics are selected by name, in any case, and listed in one order")
func metricNames() throws {
  #expect(try resolve(setting: "seed=1").metrics == Metric.standard)
  let configuration = try resolve(setting: "metrics=[Gini, NDCG, Recall]")
  #expect(configuration.metrics == [.recall, .ndcg, .gini])
  #expect(configuration.resolvedYAML().contains("metrics: [gini, ndcg, recall]"))
  #expect(try message(of: "metrics: [recall, surprise]").contains("coverage"))
  #expect(try message(of: "metrics: [recall, recall]").contains("every name once"))
}

@Test("a run is selected by a metric for which more is better")
func selectable() throws {
  let configuration = try resolve(
    setting: "metrics=[recall, coverage]", "selection_metric=coverage@20")
  #expect(configuration.selection.metric.yaml == "coverage@20")
  #expect(try message(of: "selection_metric: gini@20").contains("a metric such as recall@20"))
}
