import Transport

/// A file with one key:
///
///     mrdib key 1
///     # a remark for people
///     name worker-3
///     public <40 characters of Z85>
///     secret <40 characters of Z85>
///
/// A public key file has no secret line. The number is the version of the format.
public struct KeyFile: Sendable {
  public let name: String
  public let publicKey: CurvePublicKey
  /// Nil in a public key file.
  public let pair: CurveKeyPair?

  private static let firstLine = "mrdib key 1"

  /// Of a pair that will be written, with its secret.
  init(name: String, pair: CurveKeyPair) {
    self.name = name
    self.pair = pair
    publicKey = pair.publicKey
  }

  /// - Parameter path: where `text` comes from, for messages.
  /// - Throws: ``RuntimeError`` that says which line is wrong. It repeats no value.
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
      else { throw malformed("line \(number + 1) is none of 'name', 'public' and 'secret', once") }
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

  /// Without the secret, for everybody.
  var publicText: String {
    """
    \(Self.firstLine)
    # A public key. Not secret, but who can change it decides who is trusted.
    name \(name)
    public \(publicKey)

    """
  }

  /// With the secret; nil in a public key file.
  var secretText: String? {
    pair.map {
      """
      \(Self.firstLine)
      # A secret key. Nobody but its owner may read this file.
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
