import Settings

/// What a run keeps so that it can go on after a failure. Nothing here changes the result.
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
    "checkpoint_folder", default: "", .absolutePathOrEmpty, influencesResult: false,
    help: "Where checkpoints lie: a folder that the coordinator and all servers reach under this"
      + " path, in which every run has a part of its own; empty means in the run directory.")

  package init() {}
}
