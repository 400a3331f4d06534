internal import CXXHash

/// The XXH3 hash of a stream of bytes, 128 bits wide: it depends on the bytes alone, not on the
/// pieces in which they came. What `xxh128sum` prints for a file with the same bytes.
///
/// It detects accidental changes. It is not cryptographic: collisions can be made on purpose.
///
/// - Source: XXH3-128 (xxHash 0.8, https://xxhash.com).
package struct ByteDigest: ~Copyable {
  /// The prefix of digests in files, which names the algorithm to check them with.
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

/// The ``ByteDigest`` of several contents in sequence. Every run of bytes is followed by its
/// length, so that `ab`, `c` and `a`, `bc` give different digests.
package struct ContentDigest: ~Copyable {
  private var bytes = ByteDigest()

  package init() {}

  /// Adds a run of bytes.
  package mutating func combine(_ run: UnsafeRawBufferPointer) {
    bytes.append(run)
    withUnsafeBytes(of: UInt64(run.count).littleEndian) { bytes.append($0) }
  }

  package mutating func combine(_ text: String) {
    Array(text.utf8).withUnsafeBytes { combine($0) }
  }

  package mutating func combine(_ numbers: [Int32]) {
    numbers.withUnsafeBytes { combine($0) }
  }

  package mutating func combine(_ numbers: ReadOnlyArray<Int32>) {
    numbers.withUnsafeBufferPointer { combine(UnsafeRawBufferPointer($0)) }
  }

  package mutating func combine(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { combine($0) }
  }

  /// The digest of everything so far, 32 hexadecimal digits.
  package var hexadecimal: String { bytes.hexadecimal }

  /// The digest with its algorithm, as ``ByteDigest/text``.
  package var text: String { bytes.text }
}
