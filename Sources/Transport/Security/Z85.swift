internal import CZeroMQ

/// Keys as text: 32 bytes in 40 printable characters (ZeroMQ RFC 32).
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
