import Checkpoints
import Configuration
import Settings

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension RunConfiguration {
  /// Creates the folder of checkpoints that the settings name, and checks that it is writable, so
  /// that a mistake in its path is found before the first epoch.
  ///
  /// - Throws: `CheckpointError` or ``RuntimeError`` if it cannot be used.
  package func checkCheckpointFolder() throws {
    let folder = self.checkpoints.folder
    guard !folder.isEmpty else { return }
    // 160 bytes hold the names of the run's folder, of a checkpoint and of a server's file.
    try RuntimeError.checkRoom(in: folder, for: 160)
    try DurableFile.makeFolder(folder)
    guard access(folder, W_OK | X_OK) == 0 else {
      throw RuntimeError.system(
        "write checkpoints into '\(folder)'", errno: errno, exitCode: .cannotCreate)
    }
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
