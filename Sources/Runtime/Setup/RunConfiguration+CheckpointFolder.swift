import RunConfiguration

extension RunConfiguration {
  /// Where the checkpoints of a run lie if the settings name a folder; it may be that of many runs,
  /// each of which has a part of its own.
  func checkpointFolder(of runID: String) -> String? {
    self.checkpoints.folder.isEmpty ? nil : "\(self.checkpoints.folder)/\(runID)"
  }

  /// Where the checkpoints of a run lie that was begun with these settings in a directory.
  func checkpointFolder(of runID: String, in directory: RunDirectory) -> String {
    checkpointFolder(of: runID) ?? directory.checkpointDirectory
  }
}
