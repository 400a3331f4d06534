import Datasets
import ParameterServer
import Recommenders
import Settings

/// The data.
package struct DataKeys: SettingGroup {
  package let folder = Setting<String>(
    "data", default: "", influencesResult: false,
    help: "The data set's folder, as the coordinator sees it; a worker's --data names its own"
      + " copy. Empty: the generated data set.")
  package let digest = Setting<String>(
    "data_digest", default: "", .contentDigestOrEmpty,
    help: "The digest of the data in the folder; workers with other data are refused. Written by"
      + " the coordinator, not by hand.")
  package let modalities = Setting<[Modality]>(
    "modalities", default: [], .distinctNames,
    help: "Item features to use, in order, as name:file. Empty: what the data set's folder holds.")

  package let initialWeights = Setting<String>(
    "initial_weights", default: "", .absolutePathOrEmpty, influencesResult: false,
    help: "An earlier run, or a parameters.safetensors: the run begins with the tables of its best"
      + " model, and rows of new users and items as usual (docs/Data.md). Every worker reads the"
      + " file at this path. Empty: none. See --start-from.")
  package let initialWeightsDigest = Setting<String>(
    "initial_weights_digest", default: "", .contentDigestOrEmpty,
    help: "The digest of initial_weights. Written by the coordinator, not by hand.")

  package let missing = Setting<MissingFeatures>(
    "missing", default: .filled,
    help: "The feature rows of items without a modality: what the file has (filled; zeros where it"
      + " has none), zeros, the mean, the mean of the items that users have together with it"
      + " (neighbours), or zeros of which MRdIB makes the prior's mean (prior; docs/Data.md).")
  package let missingRate = Setting<Double>(
    "missing_rate", default: 0, .within(0...1),
    help: "Probability with which an item loses each modality, named by the seed: how much a model"
      + " needs its features.")
  package let nanRows = Setting<NaNRows>(
    "nan_rows", default: .refused,
    help: "Feature rows of nothing but NaN: an error, or items without the modality (missing).")
  package let shuffledModality = Setting<String>(
    "shuffle_modality", default: "",
    help: "A modality whose rows are permuted over the items, by the seed: what a model gains from"
      + " it then is not information. Empty: none.")

  package init() {}
}

extension MissingFeatures: SettingChoice {}

/// What rows of nothing but NaN are.
package enum NaNRows: String, SettingChoice { case refused, missing }

extension RunConfiguration {
  /// What the run makes of features. The seed is 0 where nothing is drawn, so that runs with
  /// several seeds have the same data.
  package var featureTreatment: FeatureTreatment {
    var treatment = FeatureTreatment()
    treatment.missing = self.data.missing
    treatment.acceptsNaNRows = self.data.nanRows == .missing
    treatment.missingRate = self.data.missingRate
    let shuffled = self.data.shuffledModality
    treatment.shuffled = shuffled.isEmpty ? nil : shuffled
    if treatment.missingRate > 0 || treatment.shuffled != nil {
      treatment.seed = UInt64(self.training.seed)
    }
    return treatment
  }
}

/// The model and its objective; models declare further settings in their own files.
package struct ModelKeys: SettingGroup {
  package let model = Setting<String>(
    "model", default: "vbpr",
    help: "The backbone; its own settings are a layer below --config.")
  package let objective = Setting<Objective>(
    "objective", default: .mrdib,
    help: "The backbone's own loss (plain), or with the information bottleneck, unique and"
      + " redundancy terms (mrdib).")
  package let embeddingSize = CommonSettings.embeddingSize

  package init() {}
}

/// The loss that is trained.
package enum Objective: String, SettingChoice { case plain, mrdib }

/// How parameters are learned.
package struct TrainingKeys: SettingGroup {
  package let epochs = Setting<Int>(
    "epochs", default: 1000, .within(1...1_000_000),
    help: "The most epochs that a run takes; it usually stops earlier, see stopping_step (MMRec).")
  package let epochSteps = Setting<Int>(
    "epoch_steps", default: 0, .within(1...1_000_000_000, or: 0), unit: "steps",
    help: "The most steps of an epoch, for data where an epoch of all interactions takes hours:"
      + " evaluations, checkpoints and lr_decay come after so many, and each epoch has the first"
      + " of an order of its own. 0: an epoch has every interaction once.")
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
      + " Every epoch begins with all shards. In ssp and async the bits depend on which processes"
      + " are slow, and a shard estimates the regulariser's norm over the batch from its own"
      + " examples.")
  package let stalenessBound = Setting<Int>(
    "staleness_bound", default: 2, .within(0...64), unit: "versions",
    help: "How many versions parameters may be behind those that a gradient is for; a step has one"
      + " version, or mi_rounds of them. 0 is bsp.")
  package let optimizer = Setting<RegisteredName<OptimizerRegistry>>(
    "optimizer", default: .standard, aliases: ["learner"],
    help: "The update rule on the servers (MMRec: adam).")
  package let momentPrecision = Setting<MomentPrecision>(
    "moment_precision", default: .float32,
    help: "How servers store what the optimizer keeps for every weight: Adam's moments, Adagrad's"
      + " sums. bfloat16 halves that memory; states are rounded at random, by numbers that the seed"
      + " names, so that they are right on average. With adam_mode closed or lazy, and adagrad.")
  package let expiryEpochs = Setting<Int>(
    "expiry_epochs", default: 0, .within(1...1_000_000, or: 0), unit: "epochs",
    help:
      "After how many whole epochs without a gradient a row returns to its initial value and its"
      + " states to zero, as users and items do that the data has no more. 0: never. Not with"
      + " adam_mode dense or lazy_exact.")
  package let admissionCount = Setting<Int>(
    "admission_count", default: 0, .within(2...1_000_000_000, or: 0), unit: "interactions",
    help: "The least number of training interactions of a user or item whose rows are trained; the"
      + " rows of others keep their initial values. 0: all are. For models that read rows of the"
      + " batch.")
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

/// How a model is evaluated and the best epoch is selected.
package struct SelectionKeys: SettingGroup {
  package let metric = Setting<SelectionMetric>(
    "selection_metric", default: SelectionMetric(.recall, at: 20), aliases: ["valid_metric"],
    help: "The validation metric that the best epoch maximises (MMRec; register A15 suggests"
      + " recall@5 for mrdib: every run reports both).")
  package let metrics = Setting<[MetricName]>(
    "metrics", default: MetricName.standard, .eachOnce, influencesResult: false,
    help: "What an evaluation computes at every cutoff (MMRec's are the default). "
      + Metric.all.map { "\($0.name): \($0.summary)" }.joined(separator: "; ") + ".")
  package let metricGroups = Setting<Bool>(
    "metric_groups", default: false, influencesResult: false,
    help: "Whether an evaluation also measures groups: users by their training interactions, items"
      + " by theirs (quartiles; items without any are apart). With metrics that count hits, in"
      + " summary.json and metrics.jsonl.")
  package let evaluationUsers = Setting<Int>(
    "eval_users", default: 0, .within(2...1_000_000_000, or: 0), unit: "users",
    help:
      "Users that evaluations during training are measured on, for large data: a sample that the"
      + " seed draws, the same in every evaluation, ranking all items. Records have the standard"
      + " error of every mean. 0: all users.")
  package let cutoffs = Setting<[Int]>(
    "topk", default: [5, 10, 20, 50], .someWithin(1...10_000), unit: "items",
    help: "The cutoffs K at which every metric is reported (MMRec).")
  package let stoppingStep = Setting<Int>(
    "stopping_step", default: 20, .within(0...1_000_000), unit: "evaluations",
    help: "Training stops at the first evaluation after this many in a row without improvement:"
      + " with 20, at the 21st (MMRec).")
  package let evaluationInterval = Setting<Int>(
    "eval_step", default: 1, .within(1...1_000_000), unit: "epochs",
    help: "Epochs from one evaluation to the next (MMRec).")
  package let compatibility = Setting<Compatibility>(
    "compat", default: .none,
    help: "Compare unrounded metrics (none), or MMRec's rule (mmrec): metrics are rounded to 4"
      + " decimals before they are compared, so that ties are no improvement.")

  package init() {}
}

/// The rule by which metrics of two epochs are compared.
package enum Compatibility: String, SettingChoice { case none, mmrec }

/// How the work is divided among processes. Nothing here changes the result.
package struct ClusterKeys: SettingGroup {
  package let workers = Setting<Int>(
    "workers", default: 2, .within(1...4096), unit: "processes", influencesResult: false,
    help: "Workers to start, and to wait for before the first step. No more of them have work in a"
      + " step than there are shards.")
  package let servers = Setting<Int>(
    "servers", default: 2, .within(1...1024), unit: "processes", influencesResult: false,
    help: "Parameter servers to start, and to wait for before the first step.")
  package let threads = Setting<Int>(
    "threads", default: 0, .within(1...64, or: 0), unit: "threads", influencesResult: false,
    help: "Threads that each process which 'train' starts computes on. 0: the processors that the"
      + " program may use, divided among the workers, and among the servers.")
  package let heartbeatInterval = Setting<Int>(
    "heartbeat_interval_ms", default: 500, .within(10...60_000), unit: "ms",
    influencesResult: false, help: "Time between two heartbeats of a process.")
  package let nodeTimeout = Setting<Int>(
    "node_timeout_ms", default: 15_000, .within(100...3_600_000), unit: "ms",
    influencesResult: false, help: "Silence after which a worker or server counts as lost.")
  package let startupTimeout = Setting<Int>(
    "startup_timeout_ms", default: 120_000, .within(100...86_400_000), unit: "ms",
    influencesResult: false, help: "Time for all processes to register; then the run fails.")
  package let hangTimeout = Setting<Int>(
    "hang_timeout_ms", default: 60_000, .within(1000...86_400_000, or: 0), unit: "ms",
    influencesResult: false,
    help: "Silence after which train kills a process that hangs, and restarts it. 0: never.")
  package let computationTimeout = Setting<Int>(
    "computation_timeout_ms", default: 600_000, .within(1000...86_400_000, or: 0), unit: "ms",
    influencesResult: false,
    help: "Time for one step of a worker's shards, or one block; then the worker counts as hung and"
      + " ends, to be restarted. 0: never.")
  package let restartLimit = Setting<Int>(
    "restart_limit", default: 50, .within(0...100_000), unit: "restarts", influencesResult: false,
    help: "The most restarts of one process within restart_window_s; one more death ends the run."
      + " 0: the first death does.")
  package let restartWindow = Setting<Int>(
    "restart_window_s", default: 600, .within(1...86_400), unit: "s", influencesResult: false,
    help: "The time window of restart_limit.")
  package let evaluationBlockUsers = Setting<Int>(
    "evaluation_block_users", default: 512, .within(1...1_048_576), unit: "users",
    aliases: ["eval_batch_size"], influencesResult: false,
    help: "Users that a worker ranks as one piece of work.")
  package let materializeBlockItems = Setting<Int>(
    "materialize_block_items", default: 1024, .within(1...1_048_576), unit: "items",
    influencesResult: false,
    help: "Items whose final vectors a worker computes as one piece of"
      + " work.")

  package init() {}
}

/// What a run records next to its result. Nothing here changes the result.
package struct ReportKeys: SettingGroup {
  package let tensorBoard = Setting<Bool>(
    "tensorboard", default: true, influencesResult: false,
    help:
      "Write event files for TensorBoard into the run's directory: losses, metrics, diagnostics,"
      + " hyper-parameters, and histograms of the best models' codes. A few kilobytes per epoch.")
  package let wattsPerCore = Setting<Double>(
    "watts_per_core", default: 10, .within(0...1000), unit: "W", influencesResult: false,
    help: "What a processor is assumed to take while it computes, for the estimate of energy in"
      + " summary.json: servers of 16 to 32 cores take 150 to 300 W.")

  package init() {}
}

/// When and where checkpoints are written. Nothing here changes the result.
package struct CheckpointKeys: SettingGroup {
  package let epochs = Setting<Int>(
    "checkpoint_epochs", default: 1, .within(0...1_000_000), unit: "epochs",
    influencesResult: false,
    help: "Write a checkpoint after every so many epochs; 0 makes none at the ends of epochs.")
  package let steps = Setting<Int>(
    "checkpoint_steps", default: 0, .within(0...1_000_000_000), unit: "steps",
    influencesResult: false,
    help: "Write a checkpoint after every so many steps instead, for long epochs; 0: by epochs.")
  package let keep = Setting<Int>(
    "checkpoint_keep", default: 2, .within(1...1_000_000), unit: "checkpoints",
    influencesResult: false, help: "How many of the latest checkpoints stay on disk.")
  package let folder = Setting<String>(
    "checkpoint_folder", default: "", .absolutePathOrStoreOrEmpty, influencesResult: false,
    help: "Where checkpoints are written: a folder that the coordinator and all servers reach under"
      + " this path, or s3://BUCKET/PREFIX in an object store, with a subfolder for each run; empty"
      + " means in the run directory.")
  package let copies = Setting<Int>(
    "checkpoint_copies", default: 1, .within(1...2), unit: "copies", influencesResult: false,
    help: "On how many servers' disks each server's rows are kept: 1 for a checkpoint_folder that"
      + " all machines reach, 2 for one that is a disk of each machine's own.")

  package init() {}
}
