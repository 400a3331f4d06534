import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An error of the code around a run: directories, files, processes.
package struct RuntimeError: ErrorWithExitCode, Sendable, Equatable, CustomStringConvertible {
  /// The code with which the program exits because of it.
  package var exitCode: ExitCode
  /// One sentence for the user: what was attempted, on what, what was found, what to do.
  package var message: String

  package init(exitCode: ExitCode, message: String) {
    self.exitCode = exitCode
    self.message = message
  }

  package var description: String { message }

  /// A system call that failed: `Cannot PURPOSE: REASON; ADVICE.`
  ///
  /// - Parameter exitCode: replaced by `system` if too many files are open.
  static func system(_ purpose: String, errno code: Int32, exitCode: ExitCode) -> RuntimeError {
    let reason = String(cString: strerror(code))
    let isLimit = FileProblem.system(code).isTooManyOpenFiles
    return RuntimeError(
      exitCode: isLimit ? .system : exitCode,
      message: "Cannot \(purpose): \(reason)\(advice(for: code)).")
  }

  /// Throws if the path of a folder is too long for file names of `byteCount` bytes in it.
  static func checkRoom(in folder: String, for byteCount: Int) throws {
    do {
      try FilePath.checkRoom(in: folder, for: byteCount)
    } catch {
      throw RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write into '\(folder)': \(error.reason); choose a folder with a shorter "
          + "path.")
    }
  }

  /// Opens a file for writing.
  ///
  /// - Throws: ``RuntimeError`` `Cannot PURPOSE: REASON.` if that fails.
  static func opening(
    _ purpose: String, _ open: () throws(FileProblem) -> Int32
  ) throws -> Int32 {
    do {
      return try open()
    } catch .system(let code) {
      throw system(purpose, errno: code, exitCode: .cannotCreate)
    } catch {
      throw RuntimeError(
        exitCode: .cannotCreate, message: "Cannot \(purpose): \(error.reason); move it away.")
    }
  }

  private static func advice(for code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space there or choose another folder"
    case EROFS, EACCES, EPERM: "; choose one that you may write to"
    case ENOTDIR, EEXIST: "; a file is in the place of a folder, choose another folder"
    case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
    case EAGAIN: "; raise the limit of processes (ulimit -u) or start fewer"
    case ENOMEM: "; start fewer processes or free memory"
    case ENOENT: "; check the path"
    default: ""
    }
  }
}

/// Turns Foundation's file errors into ``RuntimeError``.
enum FileFailure {
  static func describe(_ error: any Error, _ purpose: String, exitCode: ExitCode) -> RuntimeError {
    let cause = error as NSError
    if let posix = cause.userInfo[NSUnderlyingErrorKey] as? NSError,
      posix.domain == NSPOSIXErrorDomain
    {
      return .system(purpose, errno: Int32(posix.code), exitCode: exitCode)
    }
    if let posix = error as? POSIXError {
      return .system(purpose, errno: posix.code.rawValue, exitCode: exitCode)
    }
    return RuntimeError(
      exitCode: exitCode, message: "Cannot \(purpose): \(cause.localizedDescription)")
  }
}
