internal import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a checkpoint cannot be written or used.
public struct CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of thing is wrong.
  public enum Code: Sendable, Equatable {
    /// A file or folder cannot be made: it may not be written there, or something is in the way.
    case cannotCreate
    /// A file cannot be written or read to its end.
    case inputOutput
    /// The system has no descriptor to spare. That passes.
    case noDescriptor
    /// A file is not there.
    case missing
    /// A file is not what was written.
    case damaged
    /// The checkpoint is a good one, but of something else: another run, version or configuration.
    case mismatch
    /// The checkpoint is in a format of another release.
    case unsupported
  }

  /// What kind of thing is wrong.
  public let code: Code
  /// One sentence: what was attempted, on what, what was found, what to do.
  public let message: String

  /// The message.
  public var description: String { message }

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// A system call that failed: `Cannot PURPOSE: REASON; ADVICE.`
  package static func system(
    _ purpose: String, errno code: Int32, _ kind: Code = .inputOutput
  ) -> CheckpointError {
    let reason = String(cString: strerror(code))
    let isMissing = kind != .cannotCreate && (code == ENOENT || code == ENOTDIR)
    let found: Code = isNoDescriptor(code) ? .noDescriptor : isMissing ? .missing : kind
    return CheckpointError(found, "Cannot \(purpose): \(reason)\(advice(for: code)).")
  }

  /// A file that cannot be opened.
  init(_ problem: FileProblem, _ purpose: String, isReading: Bool) {
    switch problem {
    case .system(let code):
      self = .system(purpose, errno: code, isReading ? .inputOutput : .cannotCreate)
    case .kind, .tooLarge, .tooMany:
      self.init(isReading ? .damaged : .cannotCreate, "Cannot \(purpose): \(problem.reason).")
    }
  }

  /// Whether an error number says that this process, or the whole system, has too many files open.
  static func isNoDescriptor(_ code: Int32) -> Bool { code == EMFILE || code == ENFILE }

  /// A file that is not what was written.
  static func damaged(_ path: String, _ problem: String) -> CheckpointError {
    CheckpointError(
      .damaged, "Cannot use '\(path)': \(problem); it is damaged, go on from another checkpoint.")
  }

  private static func advice(for code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space there or choose another folder"
    case EROFS, EACCES, EPERM: "; choose a folder that this user may use"
    case ENOTDIR, EEXIST, EISDIR: "; something else stands there, choose another folder"
    case EMFILE, ENFILE: "; raise the limit of open files (ulimit -n)"
    case ENOENT: "; check the path"
    default: ""
    }
  }
}
