import Foundation
import Synchronization

/// The position of a run, in memory that is also a file: it shows the last input of a dead process.
///
/// Three little-endian `UInt64`, the seed, the counter of the input and how many were accepted;
/// then the parser's name.
final class FuzzRecord: @unchecked Sendable {  // written by one thread, read by a watcher
  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int

  /// - Parameter path: nil for memory without a file.
  init(path: String?, name: String, seed: UInt64) throws {
    let content = Array(name.utf8)
    byteCount = 24 + content.count
    var descriptor: Int32 = -1
    if let path {
      descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0, ftruncate(descriptor, off_t(byteCount)) == 0 else {
        throw FuzzFailure("cannot write \(path): \(String(cString: strerror(errno)))")
      }
    }
    defer { if descriptor >= 0 { close(descriptor) } }
    let flags = path == nil ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED
    guard let memory = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, descriptor, 0),
      memory != MAP_FAILED
    else { throw FuzzFailure("cannot map the record: \(String(cString: strerror(errno)))") }
    self.memory = memory
    memory.storeBytes(of: seed.littleEndian, as: UInt64.self)
    content.withUnsafeBytes { (memory + 24).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
  }

  deinit { munmap(memory, byteCount) }

  var counter: UInt64 {
    get { UInt64(littleEndian: memory.load(fromByteOffset: 8, as: UInt64.self)) }
    set { memory.storeBytes(of: newValue.littleEndian, toByteOffset: 8, as: UInt64.self) }
  }

  var accepted: UInt64 {
    get { UInt64(littleEndian: memory.load(fromByteOffset: 16, as: UInt64.self)) }
    set { memory.storeBytes(of: newValue.littleEndian, toByteOffset: 16, as: UInt64.self) }
  }
}

/// Ends the process when one input takes too long.
final class FuzzWatch: Sendable {
  private let isOver = Mutex(false)

  init(_ record: FuzzRecord, name: String, seed: UInt64, limit: TimeInterval) {
    Thread.detachNewThread { [self] in
      var last = UInt64.max
      var since = Date()
      while !isOver.withLock({ $0 }) {
        Thread.sleep(forTimeInterval: 0.2)
        let counter = record.counter
        if counter != last {
          last = counter
          since = Date()
        } else if Date().timeIntervalSince(since) > limit && !isOver.withLock({ $0 }) {
          let sentence =
            "fuzz: \(name), seed \(seed), counter \(counter): no end after \(limit) seconds\n"
          FileHandle.standardError.write(Data(sentence.utf8))
          abort()
        }
      }
    }
  }

  func end() { isOver.withLock { $0 = true } }
}
