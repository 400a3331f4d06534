/// The ``ByteDigest`` of several contents in a row. Every run of bytes is followed by its length,
/// so that `ab`, `c` and `a`, `bc` give different digests.
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

  package mutating func combine(_ number: Int) {
    withUnsafeBytes(of: Int64(number).littleEndian) { combine($0) }
  }

  /// The digest of everything so far, 32 hexadecimal digits.
  package var hexadecimal: String { bytes.hexadecimal }

  /// The digest with its algorithm, as ``ByteDigest/text``.
  package var text: String { bytes.text }
}
