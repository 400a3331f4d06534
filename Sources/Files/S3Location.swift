/// A place in an object store that speaks the protocol of Amazon S3: `s3://BUCKET/PREFIX`.
package struct S3Location: Sendable, Equatable, CustomStringConvertible {
  /// How such places are recognised among paths.
  package static let scheme = "s3://"
  /// A key has at most 1024 bytes, of which checkpoints need some for their own names.
  private static let mostPrefixBytes = 800

  package let bucket: String
  /// Without slashes at its ends; empty for the whole bucket.
  package let prefix: String

  /// Parses a place; nil if the text is none. Repeated slashes, and one at the end, are dropped.
  package init?(_ text: String) {
    guard text.hasPrefix(Self.scheme) else { return nil }
    let parts = text.dropFirst(Self.scheme.count).split(
      separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let bucket = parts.first, Self.isBucket(bucket) else { return nil }
    let components = (parts.count > 1 ? parts[1] : "").split(separator: "/")
    let prefix = components.joined(separator: "/")
    guard prefix.utf8.count <= Self.mostPrefixBytes,
      prefix.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
      !components.contains("."), !components.contains("..")
    else { return nil }
    self.bucket = String(bucket)
    self.prefix = prefix
  }

  /// The key of an object below the prefix.
  package func key(of name: String) -> String { prefix.isEmpty ? name : "\(prefix)/\(name)" }

  /// The text that the location is parsed from.
  package var description: String {
    Self.scheme + bucket + (prefix.isEmpty ? "" : "/\(prefix)")
  }

  /// Names of buckets are names of hosts, too.
  private static func isBucket(_ name: Substring) -> Bool {
    let isEdge = { (byte: UInt8) in "abcdefghijklmnopqrstuvwxyz0123456789".utf8.contains(byte) }
    return (3...63).contains(name.utf8.count)
      && name.utf8.allSatisfy { isEdge($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
      && name.utf8.first.map(isEdge) == true && name.utf8.last.map(isEdge) == true
      && !name.contains("..")
  }
}
