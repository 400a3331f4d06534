import Foundation

/// Foundation's file errors in our words.
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
