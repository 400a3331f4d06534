import Settings

/// How the work is spread over processes. Nothing here changes the result.
package struct ClusterKeys: SettingGroup {
  package let workers = Setting<Int>(
    "workers", default: 2, .within(1...4096), unit: "processes", influencesResult: false,
    help: "Workers to start, and to wait for before the first step.")
  package let servers = Setting<Int>(
    "servers", default: 2, .within(1...1024), unit: "processes", influencesResult: false,
    help: "Parameter servers to start, and to wait for before the first step.")
  package let heartbeatInterval = Setting<Int>(
    "heartbeat_interval_ms", default: 500, .within(10...60_000), unit: "ms",
    influencesResult: false, help: "Time from one sign of life of a process to the next.")
  package let nodeTimeout = Setting<Int>(
    "node_timeout_ms", default: 15_000, .within(100...3_600_000), unit: "ms",
    influencesResult: false, help: "Silence after which a worker or server counts as lost.")
  package let startupTimeout = Setting<Int>(
    "startup_timeout_ms", default: 120_000, .within(100...86_400_000), unit: "ms",
    influencesResult: false, help: "Time for all processes to register; then the run is given up.")
  package let hangTimeout = Setting<Int>(
    "hang_timeout_ms", default: 60_000, .within(1000...86_400_000, or: 0), unit: "ms",
    influencesResult: false,
    help: "Silence after which train kills a process that hangs, and starts it again. 0: never.")
  package let computationTimeout = Setting<Int>(
    "computation_timeout_ms", default: 600_000, .within(1000...86_400_000, or: 0), unit: "ms",
    influencesResult: false,
    help: "Time for one step of a worker's shards, or one block; then the worker counts as hung and"
      + " ends, to be started again. 0: never.")
  package let restartLimit = Setting<Int>(
    "restart_limit", default: 50, .within(0...100_000), unit: "restarts", influencesResult: false,
    help: "The most restarts of one process within restart_window_s; one more death ends the run."
      + " 0: the first death does.")
  package let restartWindow = Setting<Int>(
    "restart_window_s", default: 600, .within(1...86_400), unit: "s", influencesResult: false,
    help: "The time that restart_limit speaks of.")
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
