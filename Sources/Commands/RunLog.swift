import Files
import Runtime

/// The log of this process in a file.
enum RunLog {
  /// Keeps a log in a run directory. If that is not possible, a warning says so, and the run needs
  /// none.
  static func keep(in directory: RunDirectory, of name: String) {
    let path = directory.logPath(of: name)
    do {
      try ProcessOutput.keepLog(at: path, of: name)
    } catch {
      StandardError.write("warning: cannot write the log '\(path)': \(error.reason)")
    }
  }

  /// Keeps a log in a file that the user named.
  ///
  /// - Throws: ``RuntimeError`` if that is not possible.
  static func keep(at path: String, of name: String) throws {
    do {
      try ProcessOutput.keepLog(at: path, of: name)
    } catch {
      throw RuntimeError(
        exitCode: .cannotCreate, message: "Cannot write the log '\(path)': \(error.reason).")
    }
  }
}
