import Checkpoints
import RunConfiguration
import Settings

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension RunConfiguration {
  /// Makes the folder of checkpoints that the settings name, and looks whether it can be written
  /// to: a mistake in its path shall not be found out after the first epoch.
  ///
  /// - Throws: `CheckpointError` or ``RuntimeError`` if it cannot be used.
  public func checkCheckpointFolder() throws {
    let folder = self.checkpoints.folder
    guard !folder.isEmpty else { return }
    // A part of its own for the run, a folder for the checkpoint, and a server's file.
    try RuntimeError.checkRoom(in: folder, for: 160)
    try DurableFile.makeFolder(folder)
    guard access(folder, W_OK | X_OK) == 0 else {
      throw RuntimeError.system(
        "write checkpoints into '\(folder)'", errno: errno, exitCode: .cannotCreate)
    }
  }

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
