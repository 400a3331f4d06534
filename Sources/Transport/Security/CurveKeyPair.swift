internal import CZeroMQ

/// A secret key with the public key that belongs to it.
public struct CurveKeyPair: Sendable, Equatable, CustomStringConvertible {
  public let publicKey: CurvePublicKey
  let secretBytes: [UInt8]

  /// A pair that nobody had before.
  ///
  /// - Throws: ``TransportError`` when the installed libzmq has no CURVE.
  public static func fresh() throws(TransportError) -> CurveKeyPair {
    var publicText = [CChar](repeating: 0, count: Z85.keyCharacters + 1)
    var secretText = publicText
    guard ZeroMQContext.hasCurve, zmq_curve_keypair(&publicText, &secretText) == 0 else {
      throw TransportError.noCurve(attempt: "make a key pair")
    }
    let text = String(decoding: secretText.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    return try CurveKeyPair(secretText: text)
  }

  /// - Parameter secretText: the secret key in Z85.
  /// - Throws: ``TransportError`` when it is no key, or libzmq has no CURVE. Its sentence does not
  ///   repeat the text.
  public init(secretText: String) throws(TransportError) {
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

  /// 40 characters of Z85, for the file that keeps it and for nothing else.
  public var secretText: String { Z85.text(ofKey: secretBytes) }

  /// Shows the public half only, so that no log can give the secret away.
  public var description: String { "the pair of \(publicKey)" }
}

extension ZeroMQContext {
  /// Whether the installed libzmq can encrypt.
  public static var hasCurve: Bool { zmq_has("curve") == 1 }
}

extension TransportError {
  static func noCurve(attempt: String) -> TransportError {
    TransportError(
      .unsupported,
      "Cannot \(attempt): the installed libzmq \(ZeroMQContext.libraryVersion) was built without"
        + " CURVE encryption; install one that has it, as Debian's libzmq5 does.")
  }
}
