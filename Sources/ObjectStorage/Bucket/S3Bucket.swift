import Files
import Synchronization

/// A bucket of an object store: reads, writes, lists and deletes objects. Blocks during requests,
/// which one connection sends one after the other.
///
/// Requests that fail because the store cannot be reached, or is overloaded, are repeated.
package final class S3Bucket: Sendable {
  /// How long requests are repeated, in seconds.
  package struct Patience: Sendable {
    package var reading: Double
    package var writing: Double

    /// For the background of a run: what is written is worth a minute of waiting, and what cannot
    /// be read is searched again by the run itself.
    package static let standard = Patience(reading: 20, writing: 90)

    package init(reading: Double, writing: Double) {
      self.reading = reading
      self.writing = writing
    }
  }

  package let name: String
  private let patience: Patience
  private let environment: (@Sendable (String) -> String?)?
  private let connection = Mutex<HTTPConnection?>(nil)

  /// Nothing is sent and no credentials are read before the first request.
  ///
  /// - Parameter environment: in place of the process's variables.
  package init(
    _ name: String, patience: Patience = .standard,
    environment: (@Sendable (String) -> String?)? = nil
  ) {
    self.name = name
    self.patience = patience
    self.environment = environment
  }

  /// A request without the address, which depends on the account.
  struct Call {
    let method: HTTPRequest.Method
    var key = ""
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var range: Range<Int>?
    var mostBytes = 16 << 20
  }

  /// Sends a request until there is an answer of success.
  ///
  /// - Throws: ``S3Error``.
  func send(
    _ call: Call, body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
    check: (HTTPResponse) throws(S3Error) -> Void = { _ throws(S3Error) in }
  ) throws(S3Error) -> HTTPResponse {
    let isWriting = call.method == .put || call.method == .post
    let schedule = RetrySchedule(patience: isWriting ? patience.writing : patience.reading)
    return try schedule.run { (_) throws(S3Error) in
      let account = try account()
      var request = HTTPRequest(
        method: call.method,
        url: account.url(bucket: name, key: call.key, query: call.query))
      request.headers = call.headers
      request.range = call.range
      request.mostBytes = call.mostBytes
      request.body = body
      let response = try perform(request, as: account)
      guard response.isSuccess else { throw S3Error(response, from: account.place) }
      try check(response)
      return response
    }
  }

  /// Read for every attempt: temporary credentials are replaced while a run lasts.
  private func account() throws(S3Error) -> S3Account {
    guard let environment else { return try S3Account() }
    return try S3Account(environment: environment)
  }

  private func perform(
    _ request: HTTPRequest, as account: S3Account
  ) throws(S3Error) -> HTTPResponse {
    // The lock's closure is not typed.
    let result = connection.withLock { connection -> Result<HTTPResponse, S3Error> in
      do throws(S3Error) {
        let open: HTTPConnection
        if let kept = connection { open = kept } else { open = try HTTPConnection() }
        connection = open
        return .success(try open.send(request, as: account))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

// MARK: Objects

extension S3Bucket {
  /// An object's size and the identity of its content.
  package struct Object: Sendable, Equatable {
    package let byteCount: Int
    let etag: String?
  }

  /// - Throws: ``S3Error``, `noObject` if there is none.
  package func object(_ key: String) throws(S3Error) -> Object {
    let response = try send(Call(method: .head, key: key)) { (response) throws(S3Error) in
      guard response.contentLength != nil else { throw Self.cut("no size") }
    }
    return Object(byteCount: max(0, response.contentLength ?? 0), etag: response.etag)
  }

  /// Reads bytes of an object.
  ///
  /// - Parameter object: what ``object(_:)`` returned: a content of another identity is refused.
  /// - Returns: the bytes, fewer only at the end of the object.
  package func read(
    _ key: String, _ range: Range<Int>, of object: Object
  ) throws(S3Error) -> [UInt8] {
    let range = range.clamped(to: 0..<object.byteCount)
    guard !range.isEmpty else { return [] }
    var call = Call(method: .get, key: key, range: range)
    // An error of the store is larger than a small range.
    call.mostBytes = max(range.count, 1 << 16)
    if let etag = object.etag { call.headers.append(("If-Match", etag)) }
    let response = try send(call) { (response) throws(S3Error) in
      guard response.status == 206 || range.count == object.byteCount else {
        throw S3Error(.malformed, "its answer is not a part of the object")
      }
      guard response.body.count <= range.count else {
        throw S3Error(.malformed, "its answer has more bytes than the part of the object")
      }
      guard response.body.count == range.count else {
        throw Self.cut("\(response.body.count) of \(range.count) bytes")
      }
    }
    return response.body
  }

  /// A connection that ends within an answer may leave a shorter one that seems to be whole.
  static func cut(_ found: String) -> S3Error {
    S3Error(.unavailable, "its answer was cut: it has \(found)")
  }

  /// Writes an object as a whole: it has either its old content or the new one.
  package func put(_ bytes: UnsafeRawBufferPointer, to key: String) throws(S3Error) {
    _ = try send(Call(method: .put, key: key), body: bytes) { (response) throws(S3Error) in
      guard response.etag != nil else { throw Self.cut("no entity tag") }
    }
  }

  /// Writes an object as a whole.
  package func put(_ bytes: [UInt8], to key: String) throws(S3Error) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(S3Error) in
      try put(UnsafeRawBufferPointer(bytes), to: key)
    }
  }

  /// Deletes an object, if there is one.
  package func delete(_ key: String) throws(S3Error) {
    do throws(S3Error) {
      _ = try send(Call(method: .delete, key: key))
    } catch  where error.kind == .noObject {
      return
    } catch {
      throw error
    }
  }
}
