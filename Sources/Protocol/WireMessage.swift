/// An encoded message: a header frame and, for some data messages, a keys and a values frame.
///
/// Frames are shared with their producer, never copied.
package struct WireMessage: Sendable {
  package let frames: [Payload]

  /// - Precondition: there is at least one frame.
  package init(frames: [Payload]) {
    precondition(!frames.isEmpty, "a message has at least one frame")
    self.frames = frames
  }

  /// Bytes of all frames.
  package var byteCount: Int { frames.reduce(0) { $0 + $1.byteCount } }
}

/// The version of the wire protocol; its history is in `Proto/README.md`.
package enum ProtocolVersion {
  /// The version that this program speaks, and the only one it understands.
  package static let current: UInt32 = 6
}

/// Bytes that are sent with a header without being copied: row keys and row values.
///
/// A payload either owns a 64-byte aligned buffer that was filled before it was wrapped, or keeps
/// a received frame alive. It is immutable, so threads may share it.
///
/// Received bytes may start at any address: read them with ``load(_:at:)`` or by copying, never
/// by rebinding the pointer.
package final class Payload: @unchecked Sendable {  // `bytes` is never written after init
  /// The bytes, valid only while the payload is alive. The compiler may release the payload right
  /// after this property was read, so use ``withUnsafeBytes(_:)``, or `withExtendedLifetime` around
  /// everything that reads through the pointer.
  package let bytes: UnsafeRawBufferPointer
  private let release: @Sendable () -> Void

  package static let empty = Payload(bytes: UnsafeRawBufferPointer(start: nil, count: 0)) {}

  /// Wraps bytes of another owner; `release` is called once, with the last reference.
  package init(bytes: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void) {
    self.bytes = bytes
    self.release = release
  }

  deinit { release() }

  /// A payload of `count` elements that `fill` writes, in a buffer of its own.
  package static func make<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int, fill: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows -> Payload {
    guard count > 0 else { return .empty }
    let byteCount = count * MemoryLayout<Element>.stride
    let raw = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
    do {
      try fill(raw.bindMemory(to: type))
    } catch {
      raw.deallocate()
      throw error
    }
    nonisolated(unsafe) let owned = raw
    return Payload(bytes: UnsafeRawBufferPointer(raw)) { owned.deallocate() }
  }

  /// A payload with a copy of an array's elements.
  package static func copying<Element: BitwiseCopyable>(_ elements: [Element]) -> Payload {
    make(Element.self, count: elements.count) { buffer in
      _ = buffer.initialize(from: elements)
    }
  }

  package var byteCount: Int { bytes.count }

  /// Calls `body` with the bytes and keeps the payload alive until it returns.
  @inlinable
  package func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// How many whole elements of a type the bytes hold.
  package func count<Element: BitwiseCopyable>(of type: Element.Type) -> Int {
    bytes.count / MemoryLayout<Element>.stride
  }

  /// Element `index`; the bytes need not be aligned.
  @inlinable
  package func load<Element: BitwiseCopyable>(_ type: Element.Type, at index: Int) -> Element {
    withUnsafeBytes {
      $0.loadUnaligned(fromByteOffset: index * MemoryLayout<Element>.stride, as: type)
    }
  }

  /// Copies `count` elements from element `start` on to `destination`.
  @inlinable
  package func copy<Element: BitwiseCopyable>(
    _ type: Element.Type, from start: Int, count: Int, to destination: UnsafeMutablePointer<Element>
  ) {
    let stride = MemoryLayout<Element>.stride
    precondition(start >= 0 && count >= 0 && (start + count) * stride <= byteCount)
    withUnsafeBytes { bytes in
      guard count > 0, let base = bytes.baseAddress else { return }
      UnsafeMutableRawPointer(destination).copyMemory(
        from: base + start * stride, byteCount: count * stride)
    }
  }

  /// All elements as an array.
  package func array<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
    let count = count(of: type)
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { copy(type, from: 0, count: count, to: base) }
      initialized = count
    }
  }
}

/// Payloads are equal if their bytes are.
extension Payload: Equatable {
  package static func == (left: Payload, right: Payload) -> Bool {
    left === right
      || left.withUnsafeBytes { left in right.withUnsafeBytes { left.elementsEqual($0) } }
  }
}
