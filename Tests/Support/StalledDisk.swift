import Foundation
import Synchronization

/// A disk that stalls while a run's `best.json` is written, and finally refuses it.
///
/// The file that `best.json` is written through is a regular one. The system asks this process
/// (with fanotify) whether it may be opened; until it answers, the opening process hangs.
public final class StalledDisk: Sendable {
  /// Whether this process may decide about the files of others: on Linux, as root.
  public static let isPossible: Bool = {
    guard let folder = try? TemporaryFolder(), let questions = try? Questions(in: folder.path)
    else { return false }
    close(questions.descriptor)
    return true
  }()

  /// Long enough for every test.
  private static let limit: TimeInterval = 300

  private struct State {
    var isStalled = true
    /// Files that other processes wait to open.
    var waiting: [Int32] = []
  }

  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  private let questions: Questions
  private let shared = Shared()

  /// - Parameters:
  ///   - run: the run directory, which exists.
  ///   - writer: the process that writes the file.
  public init(run: String, writer: pid_t = getpid()) throws {
    questions = try Questions(in: run)
    // The name that the file has until it is complete.
    let name = "best.json.tmp-\(writer)"
    Thread.detachNewThread { [questions, shared] in
      Self.answer(questions, shared, stalling: name)
    }
  }

  deinit { refuse() }

  /// Whether a process waits to open the file.
  public var isAwaited: Bool { shared.state.withLock { !$0.waiting.isEmpty } }

  /// Ends the stall: the waiting process continues with the error "not permitted" (`EPERM`).
  public func refuse() {
    shared.state.withLock { Self.refuse(questions, &$0) }
  }

  private static func refuse(_ questions: Questions, _ state: inout State) {
    state.isStalled = false
    for file in state.waiting { questions.answer(file, allow: false) }
    state.waiting = []
  }

  /// Runs on its own thread, which must open no file: it would wait for its own answer.
  private static func answer(_ questions: Questions, _ shared: Shared, stalling name: String) {
    let deadline = Date().addingTimeInterval(limit)
    while shared.state.withLock({ $0.isStalled }), Date() < deadline {
      for file in questions.next() {
        let isStalled = questions.name(of: file) == name
        shared.state.withLock {
          if isStalled, $0.isStalled {
            $0.waiting.append(file)
          } else {
            questions.answer(file, allow: !isStalled)
          }
        }
      }
    }
    shared.state.withLock {
      refuse(questions, &$0)
      // This allows all other files.
      close(questions.descriptor)
    }
  }
}

/// The questions of the system before it opens a file of a folder.
private struct Questions: Sendable {
  let descriptor: Int32

  init(in folder: String) throws {
    typealias Initialize = @convention(c) (UInt32, UInt32) -> Int32
    typealias Mark = @convention(c) (Int32, UInt32, UInt64, Int32, UnsafePointer<CChar>) -> Int32
    // Swift's Glibc does not have them.
    let library = dlopen(nil, RTLD_NOW)
    guard let initialize = dlsym(library, "fanotify_init"),
      let mark = dlsym(library, "fanotify_mark")
    else { throw CocoaError(.featureUnsupported) }
    let closeOnExec: UInt32 = 1
    let nonBlocking: UInt32 = 2
    let asksBeforeContent: UInt32 = 4
    descriptor = unsafeBitCast(initialize, to: Initialize.self)(
      closeOnExec | nonBlocking | asksBeforeContent, UInt32(O_RDONLY | O_CLOEXEC))
    guard descriptor >= 0 else { throw CocoaError(.featureUnsupported) }
    let add: UInt32 = 1
    let beforeOpening: UInt64 = 0x10000
    let ofFilesInIt: UInt64 = 0x800_0000
    guard
      unsafeBitCast(mark, to: Mark.self)(
        descriptor, add, beforeOpening | ofFilesInIt, AT_FDCWD, folder) == 0
    else {
      close(descriptor)
      throw CocoaError(.featureUnsupported)
    }
  }

  /// The files in question; none if no question arrives within a short time.
  func next() -> [Int32] {
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&ready, 1, 50) == 1 else { return [] }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &buffer, buffer.count)
    var files: [Int32] = []
    var offset = 0
    // A question begins with its length; the file's descriptor is at its byte 16.
    let headByteCount = 24
    buffer.withUnsafeBytes { bytes in
      while offset + headByteCount <= count {
        files.append(bytes.loadUnaligned(fromByteOffset: offset + 16, as: Int32.self))
        let length = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        offset += max(Int(length), headByteCount)
      }
    }
    return files.filter { $0 >= 0 }
  }

  func name(of file: Int32) -> String? {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/fd/\(file)", &target, target.count)
    guard count > 0 else { return nil }
    return target[..<count].map { UInt8(bitPattern: $0) }.split(separator: UInt8(ascii: "/")).last
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// Lets the file be opened, or not. It is closed here.
  func answer(_ file: Int32, allow: Bool) {
    let allowed: UInt32 = 1
    let denied: UInt32 = 2
    var bytes = [UInt32(bitPattern: file), allow ? allowed : denied]
    _ = write(descriptor, &bytes, 8)
    close(file)
  }
}
