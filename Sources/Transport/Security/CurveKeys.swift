internal import CZeroMQ

/// A secret Curve25519 key with its public key.
package struct CurveKeyPair: Sendable, Equatable, CustomStringConvertible {
  package let publicKey: CurvePublicKey
  let secretBytes: [UInt8]

  /// A new random pair.
  ///
  /// - Throws: ``TransportError`` when the installed libzmq has no CURVE.
  package static func fresh() throws(TransportError) -> CurveKeyPair {
    var publicText = [CChar](repeating: 0, count: Z85.keyCharacters + 1)
    var secretText = publicText
    guard ZeroMQContext.hasCurve, zmq_curve_keypair(&publicText, &secretText) == 0 else {
      throw TransportError.noCurve(attempt: "make a key pair")
    }
    let text = String(decoding: secretText.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    return try CurveKeyPair(secretText: text)
  }

  /// - Parameter secretText: the secret key in Z85.
  /// - Throws: ``TransportError`` when it is not a key, or libzmq has no CURVE. The message does
  ///   not contain the text.
  package init(secretText: String) throws(TransportError) {
    guard ZeroMQContext.hasCurve else {
      throw TransportError.noCurve(attempt: "use a secret key")
    }
    var publicText = [CChar](repeating: 0, count: Z85.keyCharacters + 1)
    guard let bytes = Z85.key(secretText), zmq_curve_public(&publicText, secretText) == 0,
      let publicKey = CurvePublicKey(
        String(decoding: publicText.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    else {
      throw TransportError(
        .invalidKey,
        "Cannot use a secret key: it is not \(Z85.keyCharacters) characters of Z85; make a new"
          + " pair.")
    }
    secretBytes = bytes
    self.publicKey = publicKey
  }

  /// The secret key as 40 characters of Z85; only to be written to the key file.
  package var secretText: String { Z85.text(ofKey: secretBytes) }

  /// Contains the public key only, so that the secret cannot get into a log.
  package var description: String { "the pair of \(publicKey)" }
}

extension ZeroMQContext {
  /// Whether the installed libzmq can encrypt.
  package static var hasCurve: Bool { zmq_has("curve") == 1 }
}

extension TransportError {
  static func noCurve(attempt: String) -> TransportError {
    TransportError(
      .unsupported,
      "Cannot \(attempt): the installed libzmq \(ZeroMQContext.libraryVersion) was built without"
        + " CURVE encryption; install one that has it, as Debian's libzmq5 does.")
  }
}

/// A Curve25519 public key, which identifies the owner of the secret key. Not secret itself.
package struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// - Parameter text: 40 characters of Z85; nil is returned for anything else.
  package init?(_ text: String) {
    guard let bytes = Z85.key(text) else { return nil }
    self.bytes = bytes
  }

  /// 40 characters of Z85.
  package var description: String { Z85.text(ofKey: bytes) }
}

/// Keys as text: 32 bytes as 40 printable characters (ZeroMQ RFC 32).
enum Z85 {
  static let keyBytes = 32
  static let keyCharacters = 40

  static func text(ofKey bytes: [UInt8]) -> String {
    var characters = [CChar](repeating: 0, count: keyCharacters + 1)
    zmq_z85_encode(&characters, bytes, bytes.count)
    return String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The bytes of a key; nil when `text` is not one.
  static func key(_ text: String) -> [UInt8]? {
    guard text.utf8.count == keyCharacters, text.utf8.allSatisfy({ (33...126).contains($0) })
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: keyBytes)
    return zmq_z85_decode(&bytes, text) == nil ? nil : bytes
  }
}
