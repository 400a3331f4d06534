/// Names the holder of a secret key to everybody (Curve25519). Not secret.
public struct CurvePublicKey: Sendable, Hashable, CustomStringConvertible {
  let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// - Parameter text: 40 characters of Z85; nil is returned for anything else.
  public init?(_ text: String) {
    guard let bytes = Z85.key(text) else { return nil }
    self.bytes = bytes
  }

  /// 40 characters of Z85.
  public var description: String { Z85.text(ofKey: bytes) }
}
