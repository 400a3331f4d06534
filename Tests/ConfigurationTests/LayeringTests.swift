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
    dataset: [ConfigurationLayer(yaml: "seed: 1\nepochs: 1\nshards: 1\n", label: "data.yaml")],
    requested: [
      ConfigurationLayer(yaml: "epochs: 2\nshards: 2", label: "a.yaml"),
      ConfigurationLayer(yaml: "shards: 3", label: "b.yaml"),
      ConfigurationLayer(assignment: "shards=4"),
      ConfigurationLayer(option: "--shards 5", key: "shards", value: "5"),
    ])
  #expect(configuration.training.seed == 1)
  #expect(configuration.training.epochs == 2)
  #expect(configuration.training.shards == 5)
  #expect(configuration.source(of: "seed")?.description == "data.yaml:1:7")
  #expect(configuration.source(of: "epochs")?.description == "a.yaml:1:9")
  #expect(configuration.source(of: "shards")?.description == "--shards 5")
}

@Test("the model's own layer is above the data set's and below the user's")
func modelLayer() throws {
  let dataset = try ConfigurationLayer(yaml: "objective: mrdib", label: "data.yaml")
  let bpr = try ConfigurationLayer(assignment: "model=bpr")
  let quiet = try resolver.resolve(dataset: [dataset], requested: [bpr])
  #expect(quiet.model.objective == .plain)
  #expect(quiet.source(of: "objective")?.label == "built-in model/bpr.yaml")
  let asked = try resolver.resolve(
    dataset: [dataset], requested: [bpr, ConfigurationLayer(assignment: "objective=mrdib")])
  #expect(asked.model.objective == .mrdib)
}

@Test("every built-in layer resolves", arguments: ConfigurationLibrary.datasetNames)
func library(dataset: String) throws {
  let layer = try #require(try ConfigurationLibrary.dataset(dataset))
  for model in ["bpr", "vbpr"] {
    let configuration = try resolver.resolve(
      dataset: [layer], requested: [ConfigurationLayer(assignment: "model=\(model)")])
    #expect(configuration.data.modalities.count == 2)
    #expect(configuration.source(of: "modalities")?.label == "built-in dataset/\(dataset).yaml")
    #expect(try ConfigurationLibrary.model(model) != nil)
  }
  #expect(try ConfigurationLibrary.dataset("unheard-of") == nil)
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
  #expect(try resolve(text) == resolver.resolve(layers: []))
}
