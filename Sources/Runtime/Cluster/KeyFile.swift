import Files
import Transport

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file with one key:
///
///     mrdib key 1
///     # a comment
///     name worker-3
///     public <40 characters of Z85>
///     secret <40 characters of Z85>
///
/// A public key file has no secret line. The number is the version of the format.
package struct KeyFile: Sendable {
  package let name: String
  package let publicKey: CurvePublicKey
  /// nil in a public key file.
  package let pair: CurveKeyPair?

  private static let firstLine = "mrdib key 1"

  /// A new key file with a secret.
  init(name: String, pair: CurveKeyPair) {
    self.name = name
    self.pair = pair
    publicKey = pair.publicKey
  }

  /// - Parameter path: of the file, for messages.
  /// - Throws: ``RuntimeError`` that names the wrong line. It never contains a key.
  init(parsing text: String, path: String) throws {
    func malformed(_ found: String) -> RuntimeError {
      RuntimeError(
        exitCode: .dataMalformed,
        message: "Cannot use the key file '\(path)': \(found). Copy the file again, or make new "
          + "keys with 'mrdib keys'.")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map(String.init) == Self.firstLine else {
      throw malformed("its first line is not '\(Self.firstLine)'")
    }
    var values: [String: String] = [:]
    for (number, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      if line.hasPrefix("#") { continue }
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard parts.count == 2, ["name", "public", "secret"].contains(parts[0]),
        values.updateValue(parts[1], forKey: parts[0]) == nil
      else {
        throw malformed("line \(number + 1) is not one of 'name', 'public' and 'secret', each once")
      }
    }
    guard let name = values["name"], KeyName.isValid(name) else {
      throw malformed("it has no valid name")
    }
    guard let publicKey = values["public"].flatMap(CurvePublicKey.init) else {
      throw malformed("it has no public key of 40 characters")
    }
    self.name = name
    self.publicKey = publicKey
    do {
      pair = try values["secret"].map { try CurveKeyPair(secretText: $0) }
    } catch let error as TransportError where error.code == .invalidKey {
      throw malformed("its secret key is not 40 characters of Z85")
    }
    guard pair == nil || pair?.publicKey == publicKey else {
      throw malformed("its public and its secret key do not belong together")
    }
  }

  /// The public file: without the secret.
  var publicText: String {
    """
    \(Self.firstLine)
    # A public key. It is not secret, but anyone who can change it can choose which peer is trusted.
    name \(name)
    public \(publicKey)

    """
  }

  /// The secret file; nil for a public key.
  var secretText: String? {
    pair.map {
      """
      \(Self.firstLine)
      # A secret key. Only its owner may read this file.
      name \(name)
      public \(publicKey)
      secret \($0.secretText)

      """
    }
  }
}

/// Names of keys: they become file names and appear in logs.
enum KeyName {
  static let rule = "letters, digits, '-' and '_', at most 64"

  static func isValid(_ name: String) -> Bool {
    (1...64).contains(name.utf8.count)
      && name.utf8.allSatisfy {
        switch $0 {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
        default: false
        }
      }
  }
}

extension KeyFile {
  enum Kind {
    /// Only the owner may read it.
    case secret
    /// Others may read it, but only the owner may change it.
    case open

    fileprivate var forbidden: mode_t { self == .secret ? 0o077 : 0o022 }
    fileprivate var mode: mode_t { self == .secret ? 0o600 : 0o644 }
  }

  /// The largest size of a key file.
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
    } catch let problem as FileProblem where problem.isTooManyOpenFiles {
      throw RuntimeError(
        exitCode: .system,
        message: "Cannot read the key file '\(path.sanitized(atMost: 4096))': "
          + "\(problem.reason); raise the limit of open files (ulimit -n).")
    } catch let problem as FileProblem {
      throw RuntimeError(
        exitCode: .inputMissing,
        message: "Cannot read the key file '\(path.sanitized(atMost: 4096))': \(problem.reason). "
          + "'mrdib keys new FOLDER' makes the keys of a cluster.")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw noKey(path) }
    return try KeyFile(parsing: text, path: path)
  }

  private static func noKey(_ path: String) -> RuntimeError {
    RuntimeError(
      exitCode: .dataMalformed,
      message: "Cannot use the key file '\(path.sanitized(atMost: 4096))': it is not a text of at "
        + "most \(maximumBytes) bytes. Make new keys with 'mrdib keys'.")
  }

  /// Writes a new file; an existing key is never replaced.
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
    // So few bytes are written completely or not at all.
    guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
      let problem = FileProblem.system(errno)
      unlink(path)
      throw failed(problem)
    }
  }
}

/// Checks the permissions of key files and folders.
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
          + "Run '\(advice) \(path)'; if others may have used it, make new keys.")
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
