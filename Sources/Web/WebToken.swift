import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A secret that requests must contain, as `Authorization: Bearer TOKEN` or `?token=TOKEN`.
package struct WebToken: Sendable {
  private let bytes: [UInt8]

  /// How many characters a token may have: fewer could be guessed, more would not fit in a header.
  static let lengths = 16...256

  /// - Returns: nil unless it is ``lengths`` visible characters of ASCII.
  package init?(_ text: String) {
    bytes = Array(text.utf8)
    guard Self.lengths.contains(bytes.count), bytes.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
  }

  /// Reads the token from the first line of a file, which must be the only one.
  ///
  /// - Throws: ``WebError``. It never contains the token.
  package init(file path: String) throws(WebError) {
    let name = path.sanitized(atMost: 4096)
    let content: [UInt8]
    do {
      content = try PlainFile.contents(of: path, atMost: Self.lengths.upperBound + 2)
    } catch .tooLarge {
      throw Self.unusable(name)
    } catch {
      throw WebError(
        .tokenMissing, "Cannot read the token file '\(name)': \(error.reason); check the path.")
    }
    var line = content[...]
    if line.last == UInt8(ascii: "\n") { line.removeLast() }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard let token = WebToken(String(decoding: line, as: UTF8.self)) else {
      throw Self.unusable(name)
    }
    self = token
  }

  /// Whether `text` is the token. The time does not depend on where they differ.
  func matches(_ text: String) -> Bool {
    let other = Array(text.utf8)
    var difference: UInt8 = other.count == bytes.count ? 0 : 1
    for (index, byte) in bytes.enumerated() {
      difference |= byte ^ (index < other.count ? other[index] : ~byte)
    }
    return difference == 0
  }

  private static func unusable(_ name: String) -> WebError {
    WebError(
      .invalidToken,
      "Cannot use the token file '\(name)': it is not one line of \(lengths.lowerBound) to "
        + "\(lengths.upperBound) visible characters of ASCII; 'openssl rand -hex 32' makes one.")
  }
}
