import Datasets
import Foundation

/// Writes a file through a buffer into which callers put bytes directly.
final class BufferedFile {
  private static let byteCount = 1 << 20

  private let file: AtomicFile
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
  private var filled = 0

  init(path: String) throws(DatasetError) { file = try AtomicFile(path: path) }

  deinit { buffer.deallocate() }

  /// Makes room in the buffer for the next bytes, at most 64 KiB.
  @inline(__always)
  func reserve(_ count: Int) throws(DatasetError) {
    if filled &+ count > Self.byteCount { try flush() }
  }

  /// - Precondition: there is room, by ``reserve(_:)``.
  @inline(__always)
  func put(_ byte: UInt8) {
    buffer[filled] = byte
    filled &+= 1
  }

  /// - Precondition: there is room, by ``reserve(_:)``.
  @inline(__always)
  func put(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress, let base = buffer.baseAddress else { return }
    precondition(filled + bytes.count <= Self.byteCount, "no room in the buffer")
    memcpy(base + filled, source, bytes.count)
    filled &+= bytes.count
  }

  /// A whole number in decimal digits.
  ///
  /// - Precondition: there is room for 20 bytes, by ``reserve(_:)``.
  @inline(__always)
  func put(decimal number: Int) {
    if number < 0 { put(UInt8(ascii: "-")) }
    var rest = number.magnitude
    var limit: UInt = 10
    var digits = 1
    while rest >= limit {
      digits &+= 1
      if digits == 20 { break }
      limit &*= 10
    }
    var end = filled &+ digits
    filled = end
    repeat {
      end &-= 1
      buffer[end] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      digits &-= 1
    } while digits > 0
  }

  /// Appends bytes of any number.
  func write(_ bytes: UnsafeRawBufferPointer) throws(DatasetError) {
    guard bytes.count > 1 << 16 else {
      try reserve(bytes.count)
      return put(bytes)
    }
    try flush()
    try file.write(bytes)
  }

  /// Appends a text.
  func write(_ text: String) throws(DatasetError) {
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBufferPointer { bytes throws(DatasetError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  private func flush() throws(DatasetError) {
    try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
    filled = 0
  }

  /// Gives the finished file its name.
  func commit() throws(DatasetError) {
    try flush()
    try file.commit()
  }
}
