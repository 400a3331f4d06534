package import ParameterServer
public import Settings

/// How parameters are learned.
public struct TrainingKeys: SettingGroup {
  public let epochs = Setting<Int>(
    "epochs", default: 1000, .within(1...1_000_000),
    help: "The most epochs that a run takes; it usually stops earlier, see stopping_step (MMRec).")
  public let batchSize = Setting<Int>(
    "train_batch_size", default: 2048, .within(1...16_777_216), unit: "interactions",
    aliases: ["batch_size"],
    help: "Interactions in a step, over all shards together; the last of an epoch may be smaller"
      + " (MMRec).")
  public let shards = Setting<Int>(
    "shards", default: 2, .within(1...4096),
    help: "Logical shards of a batch, the unit that workers share. Part of the result, unlike"
      + " workers.")
  public let seed = Setting<Int>(
    "seed", default: 999, .atLeast(0),
    help: "Names all random numbers of the run (999 as in MMRec).")
  public let consistency = Setting<UpdateConsistency>(
    "consistency", default: .bsp,
    help: "When a shard may read parameters for its next step. bsp: when all shards have made the"
      + " step before; ssp: when they are at most staleness_bound versions behind; async: always."
      + " Every epoch begins with all shards. In ssp and async the bits depend on who is slow, and"
      + " a shard estimates the regulariser's norm over the batch from its own examples.")
  public let stalenessBound = Setting<Int>(
    "staleness_bound", default: 2, .within(0...64), unit: "versions",
    help: "How many versions parameters may be behind those that a gradient is for; a step has one"
      + " version, or mi_rounds of them. 0 is bsp.")
  package let optimizer = Setting<RegisteredName<OptimizerRegistry>>(
    "optimizer", default: .standard, aliases: ["learner"],
    help: "The update rule on the servers (MMRec: adam).")
  public let learningRate = Setting<Double>(
    "learning_rate", default: 1e-3, .stepSize, aliases: ["lr"],
    help: "Step size of the backbone and the encoders (MMRec).")
  public let decay = Setting<Double>(
    "lr_decay", default: 1, .above(0, upTo: 1),
    help: "The learning rate of epoch e is learning_rate · lr_decay^(e / lr_decay_period); 1"
      + " keeps it constant (MMRec: learning_rate_scheduler).")
  public let decayPeriod = Setting<Double>(
    "lr_decay_period", default: 50, .above(0), unit: "epochs",
    help: "See lr_decay (MMRec: learning_rate_scheduler).")

  public init() {}
}

/// When a shard may read parameters for its next step.
public enum UpdateConsistency: String, SettingChoice { case bsp, ssp, async }
