import Configuration
import ParameterServer
import Recommenders
import Settings
import Testing

@Test("without layers every value is the built-in default and says so")
func defaults() throws {
  let configuration = try resolver.resolve(layers: [])
  #expect(configuration.training.learningRate == 1e-3)
  #expect(configuration.training.batchSize == 2048)
  #expect((configuration.optimizer as? Adam)?.mode == .lazyExact)
  #expect(configuration.selection.cutoffs == [5, 10, 20, 50])
  #expect(configuration.selection.metric.yaml == "recall@20")
  #expect(configuration.model.model == "vbpr")
  #expect(configuration.mrdib.deviation == .unit)
  #expect(configuration.data.modalities.isEmpty)
  #expect(configuration.source(of: "seed")?.description == "built-in default")
  #expect(configuration.source(of: "sead") == nil)
}

@Test("a later layer overrides an earlier one, value by value")
func order() throws {
  let configuration = try resolver.resolve(
    requested: [
      ConfigurationLayer(yaml: "seed: 1\nepochs: 1\nshards: 1\n", label: "first.yaml"),
      ConfigurationLayer(yaml: "epochs: 2\nshards: 2", label: "a.yaml"),
      ConfigurationLayer(yaml: "shards: 3", label: "b.yaml"),
      ConfigurationLayer(assignment: "shards=4"),
      ConfigurationLayer(option: "--shards 5", key: "shards", value: "5"),
    ])
  #expect(configuration.training.seed == 1)
  #expect(configuration.training.epochs == 2)
  #expect(configuration.training.shards == 5)
  #expect(configuration.source(of: "seed")?.description == "first.yaml:1:7")
  #expect(configuration.source(of: "epochs")?.description == "a.yaml:1:9")
  #expect(configuration.source(of: "shards")?.description == "--shards 5")
}

@Test("the model's own layer is below the user's")
func modelLayer() throws {
  let bpr = try ConfigurationLayer(assignment: "model=bpr")
  let quiet = try resolver.resolve(requested: [bpr])
  #expect(quiet.model.objective == .plain)
  #expect(quiet.source(of: "objective")?.label == "built-in model/bpr.yaml")
  let asked = try resolver.resolve(
    requested: [bpr, ConfigurationLayer(assignment: "objective=mrdib")])
  #expect(asked.model.objective == .mrdib)
}

@Test("names of other toolboxes are accepted")
func aliases() throws {
  let configuration = try resolve(
    """
    valid_metric: NDCG@10
    learner: sgd
    eval_batch_size: 4096
    batch_size: 128
    """)
  #expect(configuration.selection.metric.yaml == "ndcg@10")
  #expect(configuration.optimizer is SGD)
  #expect(configuration.cluster.evaluationBlockUsers == 4096)
  #expect(configuration.training.batchSize == 128)
}

@Test("a file of comments only, or nothing, sets nothing", arguments: ["", "# nothing\n", "---\n"])
func emptyFiles(text: String) throws {
  #expect(try resolve(text) == resolver.resolve(requested: []))
}
