import Synchronization

/// Reads an object in parts, as a file is read. Small reads near each other are served from a few
/// windows that are kept; large ones are requested as they are.
///
/// All parts are of one content: if the object is replaced meanwhile, reading fails.
package final class S3ObjectReader: Sendable {
  private let bucket: S3Bucket
  private let key: String
  private let object: S3Bucket.Object

  private struct Window {
    let start: Int
    let bytes: [UInt8]
  }

  /// Used last comes last.
  private let windows = Mutex<[Window]>([])
  static let windowBytes = 1 << 20
  /// A checkpoint file is read at as many places at a time: weights, states, updates and ids.
  private static let mostWindows = 8

  /// The size of the object.
  package var byteCount: Int { object.byteCount }

  /// - Throws: ``S3Error``, `noObject` if there is none.
  package init(_ key: String, in bucket: S3Bucket) throws(S3Error) {
    self.bucket = bucket
    self.key = key
    object = try bucket.object(key)
  }

  /// Reads bytes from an offset on until the buffer is full or the object ends.
  ///
  /// - Returns: the number of bytes read.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(S3Error) -> Int {
    guard buffer.count < Self.windowBytes else {
      let bytes = try bucket.read(key, offset..<offset + buffer.count, of: object)
      buffer.copyBytes(from: bytes)
      return bytes.count
    }
    var done = 0
    while done < buffer.count, offset + done < object.byteCount {
      let position = offset + done
      let window = try window(at: position / Self.windowBytes * Self.windowBytes)
      let bytes = window.bytes.dropFirst(position - window.start).prefix(buffer.count - done)
      guard !bytes.isEmpty else { break }
      UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: bytes)
      done += bytes.count
    }
    return done
  }

  private func window(at start: Int) throws(S3Error) -> Window {
    let kept = windows.withLock { windows -> Window? in
      guard let index = windows.firstIndex(where: { $0.start == start }) else { return nil }
      let window = windows.remove(at: index)
      windows.append(window)
      return window
    }
    if let kept { return kept }
    let window = Window(
      start: start,
      bytes: try bucket.read(key, start..<start + Self.windowBytes, of: object))
    windows.withLock { windows in
      if windows.count == Self.mostWindows { windows.removeFirst() }
      windows.append(window)
    }
    return window
  }
}
