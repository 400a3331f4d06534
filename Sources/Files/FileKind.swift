#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What stands under a name.
package enum FileKind: Sendable, Equatable {
  case plain
  case folder
  case pipe
  case socket
  case device
  case other

  init(_ mode: mode_t) {
    self =
      switch mode & S_IFMT {
      case S_IFREG: .plain
      case S_IFDIR: .folder
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      case S_IFCHR, S_IFBLK: .device
      default: .other
      }
  }

  /// For people: `a named pipe`.
  package var words: String {
    switch self {
    case .plain: "a plain file"
    case .folder: "a folder"
    case .pipe: "a named pipe"
    case .socket: "a socket"
    case .device: "a device"
    case .other: "something else"
    }
  }

  /// - Returns: nil if nothing is there, or nothing that can be looked at.
  package static func of(_ path: String) -> FileKind? {
    var status = stat()
    return stat(path, &status) == 0 ? FileKind(status.st_mode) : nil
  }
}
