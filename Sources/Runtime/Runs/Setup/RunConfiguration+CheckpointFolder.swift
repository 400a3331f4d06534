import Checkpoints
import Configuration
import Files
import Settings

extension RunSetup {
  /// Whether servers keep copies of checkpoints and records on disks of their own.
  package var copiesCheckpoints: Bool { configuration.checkpoints.copies > 1 }
}

extension RunConfiguration {
  /// Creates the folder of checkpoints that the settings name, and checks that it is writable, so
  /// that a mistake in its path is found before the first epoch. An object store is written to.
  ///
  /// - Throws: `CheckpointError` or ``RuntimeError`` if it cannot be used.
  package func checkCheckpointFolder() throws {
    let folder = self.checkpoints.folder
    if self.checkpoints.copies > 1 { try checkCopies() }
    guard !folder.isEmpty else { return }
    // 160 bytes hold the names of the run's folder, of a checkpoint and of a server's file.
    if S3Location(folder) == nil { try RuntimeError.checkRoom(in: folder, for: 160) }
    try CheckpointStore(folder: folder).prepare()
  }

  /// Copies need a disk of each machine's own, and another server to keep them.
  private func checkCopies() throws {
    let folder = self.checkpoints.folder
    let problem: String? =
      if folder.isEmpty {
        "checkpoint_folder is empty; name a folder that is on each machine's own disk"
      } else if S3Location(folder) != nil {
        "checkpoint_folder is an object store, which keeps copies itself; set checkpoint_copies=1"
      } else if self.cluster.servers < 2 {
        "there is one server, and a copy needs another; set servers=2 or more"
      } else {
        nil
      }
    guard let problem else { return }
    throw RuntimeError(
      exitCode: .configuration, message: "Cannot keep checkpoint_copies=2: \(problem).")
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
