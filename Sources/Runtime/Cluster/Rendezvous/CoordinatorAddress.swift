import Files
import Foundation
import Synchronization
import Transport

/// How a process finds the coordinator: an address, or a file that holds it.
///
/// A coordinator that is started elsewhere writes its new address into the file
/// (`--endpoint-file`); processes read it twice a second and connect there. A host name in an
/// address is looked up again whenever a lost connection is retried.
package enum CoordinatorAddress: Sendable, Equatable, CustomStringConvertible {
  case endpoint(Endpoint)
  /// The path of a file that a coordinator writes.
  case file(String)

  /// - Parameter text: such as `tcp://10.0.0.5:7000` or `file:///shared/run/coordinator`.
  /// - Throws: `TransportError` if it is neither.
  package init(_ text: String) throws(TransportError) {
    if text.hasPrefix("file://"), text.utf8.count > 7 {
      self = .file(String(text.dropFirst(7)))
    } else {
      self = .endpoint(try Endpoint(text))
    }
  }

  package var description: String {
    switch self {
    case .endpoint(let endpoint): "\(endpoint)"
    case .file(let path): "file://\(path)"
    }
  }

  /// Where a coordinator with this address listens: at all addresses of its machine, unless the
  /// address is one of this machine alone; at a free port, if a file holds the address.
  package var listeningAddress: String {
    switch self {
    case .endpoint(let endpoint):
      endpoint.isOnThisMachine ? "\(endpoint)" : "\(endpoint.at(host: "0.0.0.0"))"
    case .file: "tcp://0.0.0.0:*"
    }
  }

  /// The address in the file; nil if the file is missing or holds none. Blocks for a read.
  static func read(_ path: String) -> Endpoint? {
    guard let bytes = try? PlainFile.contents(of: path, atMost: 4096) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    // Without the newline, the file is not complete.
    guard text.hasSuffix("\n") else { return nil }
    return try? Endpoint(String(text.dropLast()))
  }
}

/// Reads the file with the coordinator's address again and again, on a thread of its own: a shared
/// file system that does not answer must not block a node's network thread.
final class CoordinatorFileWatch: Sendable {
  private struct State {
    var endpoint: Endpoint?
    var isTaken = true
  }

  private let path: String
  private let state = Mutex(State())

  /// Starts to read; ends when the object is released.
  init(path: String) {
    self.path = path
    Thread.detachNewThread { [weak self] in
      while let path = self?.path {
        // Read without a reference, so that a read that hangs does not keep the object.
        let found = CoordinatorAddress.read(path)
        self?.note(found)
        Thread.sleep(forTimeInterval: 0.5)
      }
    }
  }

  private func note(_ found: Endpoint?) {
    // A file that is gone or cannot be read changes nothing: the coordinator removes it at its end.
    guard let found else { return }
    state.withLock {
      if $0.endpoint != found { $0 = State(endpoint: found, isTaken: false) }
    }
  }

  /// An address that was not returned before; nil if there is none.
  func takeChange() -> Endpoint? {
    state.withLock {
      guard !$0.isTaken else { return nil }
      $0.isTaken = true
      return $0.endpoint
    }
  }
}
