internal import Foundation
import Tensors

/// A binary file of the cache, mapped, that was made from other data and can be made again.
///
/// Little-endian: 8 bytes that name the kind; the format's version as `UInt32`; 4 bytes for the
/// kind's own use; the digest of what it was made from, 32 hexadecimal digits; the content; the
/// XXH3-128 of everything before, 32 hexadecimal digits.
struct CachedFile {
  /// Where the digest of what the file was made from is.
  static let sourceRange = 16..<16 + ByteDigest.digitCount

  let file: MappedFile
  /// Everything but the checksum.
  let content: UnsafeRawBufferPointer

  /// Opens a file and compares its digests.
  ///
  /// - Parameters:
  ///   - magic: the kind of the file, 8 bytes.
  ///   - kind: in words, with an article.
  ///   - source: the digest of what it must have been made from, 32 hexadecimal digits.
  ///   - headerByteCount: the least bytes before the checksum.
  /// - Returns: nil if there is no file.
  /// - Throws: ``CachedFileError`` if the file cannot be read, is damaged, or was made from other
  ///   data or by another version.
  init?(
    path: String, magic: [UInt8], kind: String, version: UInt32, source: String,
    headerByteCount: Int
  ) throws(CachedFileError) {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
      file = try MappedFile(path: path)
    } catch {
      throw CachedFileError(message: error.message)
    }
    let bytes = file.bytes
    guard bytes.count >= headerByteCount + ByteDigest.digitCount, bytes.starts(with: magic) else {
      throw CachedFileError(message: "is not \(kind), or was cut off")
    }
    content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(ByteDigest.digitCount))
    let found = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    guard found == version else {
      throw CachedFileError(message: "has format version \(found), not \(version)")
    }
    guard bytes.suffix(ByteDigest.digitCount).elementsEqual(Self.checksum(of: content).utf8) else {
      throw CachedFileError(message: "is damaged: its content does not match its checksum")
    }
    guard bytes[Self.sourceRange].elementsEqual(source.utf8) else {
      throw CachedFileError(message: "was made from other data")
    }
  }

  /// - Throws: ``CachedFileError`` if the file was overwritten since it was opened.
  func checkIsUnchanged() throws(CachedFileError) {
    guard !file.wasOverwritten else {
      throw CachedFileError(message: "was overwritten while it was being read")
    }
  }

  /// 32 hexadecimal digits.
  static func checksum(of bytes: UnsafeRawBufferPointer) -> String {
    var digest = ByteDigest()
    digest.append(bytes)
    return digest.hexadecimal
  }
}

/// Why a file of the cache cannot be read (the words after "it") or written (the reason alone).
package struct CachedFileError: Error, Equatable {
  package let message: String
}
