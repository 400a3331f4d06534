import ParameterServer
import Settings

/// How parameters are learned.
package struct TrainingKeys: SettingGroup {
  package let epochs = Setting<Int>(
    "epochs", default: 1000, .within(1...1_000_000),
    help: "The most epochs that a run takes; it usually stops earlier, see stopping_step (MMRec).")
  package let batchSize = Setting<Int>(
    "train_batch_size", default: 2048, .within(1...16_777_216), unit: "interactions",
    aliases: ["batch_size"],
    help: "Interactions in a step, over all shards together; the last of an epoch may be smaller"
      + " (MMRec).")
  package let shards = Setting<Int>(
    "shards", default: 2, .within(1...4096),
    help: "Logical shards of a batch, the unit that workers share. Part of the result, unlike"
      + " workers.")
  package let seed = Setting<Int>(
    "seed", default: 999, .atLeast(0),
    help: "Names all random numbers of the run (999 as in MMRec).")
  package let consistency = Setting<UpdateConsistency>(
    "consistency", default: .bsp,
    help: "When a shard may read parameters for its next step. bsp: when all shards have made the"
      + " step before; ssp: when they are at most staleness_bound versions behind; async: always."
      + " Every epoch begins with all shards. In ssp and async the bits depend on who is slow, and"
      + " a shard estimates the regulariser's norm over the batch from its own examples.")
  package let stalenessBound = Setting<Int>(
    "staleness_bound", default: 2, .within(0...64), unit: "versions",
    help: "How many versions parameters may be behind those that a gradient is for; a step has one"
      + " version, or mi_rounds of them. 0 is bsp.")
  package let optimizer = Setting<RegisteredName<OptimizerRegistry>>(
    "optimizer", default: .standard, aliases: ["learner"],
    help: "The update rule on the servers (MMRec: adam).")
  package let learningRate = Setting<Double>(
    "learning_rate", default: 1e-3, .stepSize, aliases: ["lr"],
    help: "Step size of the backbone and the encoders (MMRec).")
  package let decay = Setting<Double>(
    "lr_decay", default: 1, .above(0, upTo: 1),
    help: "The learning rate of epoch e is learning_rate · lr_decay^(e / lr_decay_period); 1"
      + " keeps it constant (MMRec: learning_rate_scheduler).")
  package let decayPeriod = Setting<Double>(
    "lr_decay_period", default: 50, .above(0), unit: "epochs",
    help: "See lr_decay (MMRec: learning_rate_scheduler).")

  package init() {}
}

/// When a shard may read parameters for its next step.
package enum UpdateConsistency: String, SettingChoice { case bsp, ssp, async }
