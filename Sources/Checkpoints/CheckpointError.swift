import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a checkpoint cannot be written or used.
package struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The kind of error.
  package enum Code: Sendable, Equatable {
    /// A file or folder cannot be created: no permission, or another file has its name.
    case cannotCreate
    /// A file cannot be written or read completely.
    case inputOutput
    /// No descriptor is free at the moment.
    case tooManyOpenFiles
    /// A file does not exist.
    case missing
    /// The contents of a file are not what was written.
    case damaged
    /// The checkpoint is valid but belongs to another run, version or configuration.
    case mismatch
    /// The checkpoint has a format of another release.
    case unsupported
  }

  /// The kind of error.
  package let code: Code
  /// One sentence: what was attempted, on what, what was found, what to do.
  package let message: String

  /// The message.
  package var description: String { message }

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The error of a failed system call: `Cannot PURPOSE: REASON; ADVICE.`
  package static func system(
    _ purpose: String, errno code: Int32, _ kind: Code = .inputOutput
  ) -> CheckpointError {
    let reason = String(cString: strerror(code))
    let isMissing = kind != .cannotCreate && (code == ENOENT || code == ENOTDIR)
    let found: Code = isTooManyOpenFiles(code) ? .tooManyOpenFiles : isMissing ? .missing : kind
    return CheckpointError(found, "Cannot \(purpose): \(reason)\(advice(for: code)).")
  }

  /// The error for a file that cannot be opened.
  init(_ problem: FileProblem, _ purpose: String, isReading: Bool) {
    switch problem {
    case .system(let code):
      self = .system(purpose, errno: code, isReading ? .inputOutput : .cannotCreate)
    case .kind, .tooLarge, .tooMany:
      self.init(isReading ? .damaged : .cannotCreate, "Cannot \(purpose): \(problem.reason).")
    }
  }

  /// Whether an error number means that this process, or the whole system, has too many open files.
  static func isTooManyOpenFiles(_ code: Int32) -> Bool { code == EMFILE || code == ENFILE }

  /// The error for a file whose contents are not what was written.
  static func damaged(_ path: String, _ problem: String) -> CheckpointError {
    CheckpointError(
      .damaged, "Cannot use '\(path)': \(problem); it is damaged, use another checkpoint.")
  }

  private static func advice(for code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space there or choose another folder"
    case EROFS, EACCES, EPERM: "; choose a folder that this user may write to"
    case ENOTDIR, EEXIST, EISDIR: "; another file has that name, choose another folder"
    case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
    case ENOENT: "; check the path"
    default: ""
    }
  }
}
