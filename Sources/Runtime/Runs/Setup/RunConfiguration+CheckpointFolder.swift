import Checkpoints
import Configuration
import Files
import Settings

extension RunConfiguration {
  /// Creates the folder of checkpoints that the settings name, and checks that it is writable, so
  /// that a mistake in its path is found before the first epoch. An object store is written to.
  ///
  /// - Throws: `CheckpointError` or ``RuntimeError`` if it cannot be used.
  package func checkCheckpointFolder() throws {
    let folder = self.checkpoints.folder
    guard !folder.isEmpty else { return }
    // 160 bytes hold the names of the run's folder, of a checkpoint and of a server's file.
    if S3Location(folder) == nil { try RuntimeError.checkRoom(in: folder, for: 160) }
    try CheckpointStore(folder: folder).prepare()
  }

  /// The run's part of the folder that the settings name, which many runs may share; nil if they
  /// name none.
  func checkpointFolder(of runID: String) -> String? {
    self.checkpoints.folder.isEmpty ? nil : "\(self.checkpoints.folder)/\(runID)"
  }

  /// The checkpoints' folder of a run in a directory.
  func checkpointFolder(of runID: String, in directory: RunDirectory) -> String {
    checkpointFolder(of: runID) ?? directory.checkpointDirectory
  }
}
