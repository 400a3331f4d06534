import Files
import ForeignText

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
    let bytes: [UInt8]
    do {
      let descriptor = try PlainFile.open(path, .read)
      defer { close(descriptor) }
      try KeyAccess.check(path, descriptor, S_IFREG, forbidden: kind.forbidden)
      bytes = try PlainFile.contents(of: descriptor, atMost: maximumBytes)
    } catch FileProblem.tooLarge {
      throw noKey(path)
    } catch let problem as FileProblem where problem.isNoDescriptor {
      throw RuntimeError(
        exitCode: .system,
        message: "Cannot read the key file '\(path.shown(atMost: 4096))': \(problem.reason); raise "
          + "the limit of open files (ulimit -n).")
    } catch let problem as FileProblem {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot read the key file '\(path.shown(atMost: 4096))': \(problem.reason). "
          + "'mrdib keys new FOLDER' makes the keys of a cluster.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw noKey(path) }
    return try KeyFile(parsing: text, path: path)
  }

  private static func noKey(_ path: String) -> RuntimeError {
    RuntimeError(
      exitCode: .dataMalformed,
      message: "Cannot use the key file '\(path.shown(atMost: 4096))': it is not a text of at most "
        + "\(maximumBytes) bytes. Make new keys with 'mrdib keys'.")
  }

  /// Writes a file that was not there: a key is never replaced.
  func save(to path: String, _ kind: Kind) throws {
    func failed(_ problem: FileProblem) -> RuntimeError {
      RuntimeError(
        exitCode: .cannotCreate,
        message: "Cannot write the key file '\(path)': \(problem.reason).")
    }
    let text = kind == .secret ? secretText ?? "" : publicText
    let descriptor: Int32
    do {
      descriptor = try PlainFile.open(path, .create, permissions: kind.mode)
    } catch {
      throw failed(error)
    }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    // So few bytes are written at once or not at all.
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      let problem = FileProblem.system(errno)
      unlink(path)
      throw failed(problem)
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
    let descriptor: Int32
    do {
      descriptor = try PlainFile.openFolder(path)
    } catch {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot open the key folder '\(path)': \(error.reason). "
          + "'mrdib keys new FOLDER' makes one.")
    }
    defer { close(descriptor) }
    try check(path, descriptor, S_IFDIR, forbidden: 0o022)
  }
}
