internal import CXXHash

/// The XXH3 hash of a stream of bytes, 128 bits wide: it depends on the bytes alone, not on the
/// pieces in which they came. What `xxh128sum` prints for a file with the same bytes.
///
/// It notices accidents. It is no defence against somebody who wants two contents to agree.
///
/// - Source: XXH3-128 (xxHash 0.8, https://xxhash.com).
package struct ByteDigest: ~Copyable {
  /// What stands before the digits in files, so that a reader knows how to check them.
  package static let algorithm = "xxh128"
  package static let digitCount = 32

  private let state: OpaquePointer

  package init() {
    guard let state = XXH3_createState() else { preconditionFailure("no memory for a digest") }
    self.state = state
    XXH3_128bits_reset(state)
  }

  deinit { XXH3_freeState(state) }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// The digest of everything so far, 32 hexadecimal digits.
  package var hexadecimal: String {
    let hash = XXH3_128bits_digest(state)
    return [hash.high64, hash.low64].map { half in
      let digits = String(half, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// The digest with its algorithm, such as `xxh128:99aa06d3014798d86001c324468d497f`.
  package var text: String { "\(Self.algorithm):\(hexadecimal)" }
}
