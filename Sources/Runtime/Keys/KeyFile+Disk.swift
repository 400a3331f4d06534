#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension KeyFile {
  enum Kind {
    /// Its owner alone may read it.
    case secret
    /// Others may read it, and its owner alone may change it.
    case open

    fileprivate var forbidden: mode_t { self == .secret ? 0o077 : 0o022 }
    fileprivate var mode: mode_t { self == .secret ? 0o600 : 0o644 }
  }

  /// Larger files are no key files.
  private static let maximumBytes = 4096

  /// - Throws: ``RuntimeError`` when the file is missing, malformed, or open to others.
  static func load(_ path: String, _ kind: Kind) throws -> KeyFile {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw missing(path, errno) }
    defer { close(descriptor) }
    try KeyAccess.check(path, descriptor, S_IFREG, forbidden: kind.forbidden)
    var bytes = [UInt8](repeating: 0, count: maximumBytes + 1)
    var count = 0
    while count < bytes.count {
      let got = bytes[count...].withUnsafeMutableBytes {
        read(descriptor, $0.baseAddress, $0.count)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw missing(path, errno) }
      if got == 0 { break }
      count += got
    }
    guard count <= maximumBytes, let text = String(validating: bytes[..<count], as: UTF8.self)
    else {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use the key file '\(path)': it is not a text of at most "
          + "\(maximumBytes) bytes. Make new keys with 'mrdib keys'.")
    }
    return try KeyFile(parsing: text, path: path)
  }

  private static func missing(_ path: String, _ code: Int32) -> RuntimeError {
    RuntimeError(
      exitCode: .inputMissing,
      message: "Cannot read the key file '\(path)': \(String(cString: strerror(code))). "
        + "'mrdib keys new FOLDER' makes the keys of a cluster.")
  }

  /// Writes a file that was not there: a key is never replaced.
  func save(to path: String, _ kind: Kind) throws {
    func failed(_ code: Int32) -> RuntimeError {
      RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the key file '\(path)': \(String(cString: strerror(code))).")
    }
    let text = kind == .secret ? secretText ?? "" : publicText
    let descriptor = open(
      path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kind.mode)
    guard descriptor >= 0 else { throw failed(errno) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    // So few bytes are written at once or not at all.
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      let code = errno
      unlink(path)
      throw failed(code)
    }
  }
}

/// Who may touch files and folders of keys.
enum KeyAccess {
  /// - Parameter type: `S_IFREG` or `S_IFDIR`.
  static func check(
    _ path: String, _ descriptor: Int32, _ type: mode_t, forbidden: mode_t
  ) throws {
    var status = stat()
    let isFolder = type == S_IFDIR
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == type else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot use the keys in '\(path)': it is not a \(isFolder ? "folder" : "file").")
    }
    guard status.st_mode & forbidden == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      let isSecret = forbidden & 0o044 != 0
      let kind = isFolder ? "key folder" : "key file"
      let others = isSecret ? "others than its owner can read" : "others can change"
      let advice = isSecret ? "chmod 600" : "chmod go-w"
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot trust the \(kind) '\(path)': \(others) it (mode \(mode)). "
          + "Run '\(advice) \(path)'; if somebody may have used that, make new keys.")
    }
  }

  static func checkFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot open the key folder '\(path)': \(String(cString: strerror(errno))). "
          + "'mrdib keys new FOLDER' makes one.")
    }
    defer { close(descriptor) }
    try check(path, descriptor, S_IFDIR, forbidden: 0o022)
  }
}
