import Files

/// The command line of this process.
package enum ProcessArguments {
  /// Refuses arguments that are not UTF-8: their invalid bytes have been replaced, so a path would
  /// name another file.
  ///
  /// - Throws: ``RuntimeError`` that names the argument.
  package static func check() throws(RuntimeError) {
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[index],
        String(validatingCString: argument) == nil
      else { continue }
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot use the argument '\(String(cString: argument).sanitized(atMost: 200))': "
          + "it is not UTF-8. If it is a path, rename the file or folder.")
    }
    guard FilePath.isWorkingDirectoryReadable else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot work in this folder: its path is not UTF-8. Rename it, or start the "
          + "program somewhere else.")
    }
  }
}
