import Synchronization

/// An object store in memory that answers over HTTP: enough of the protocol of S3 for tests of the
/// client. Signatures are recorded and not checked.
public final class MemoryObjectStore: Sendable {
  /// A fault in place of an answer, or in it.
  public enum Fault: Sendable {
    case status(Int, code: String)
    /// Closes the connection without an answer, before or after the request has had its effect.
    case lost(afterEffect: Bool)
    /// Answers with the first bytes of the right answer only.
    case truncated(at: Int)
    /// Answers with these bytes, whatever was asked.
    case bytes([UInt8])
  }

  private struct State {
    var objects: [String: [UInt8]] = [:]
    var uploads: [String: (key: String, parts: [Int: [UInt8]])] = [:]
    var uploadCount = 0
    var requests: [HTTPServer.Request] = []
    var fault: @Sendable (HTTPServer.Request) -> Fault? = { _ in nil }
  }

  private let state = Mutex(State())
  private let bucket: String
  private let server = Mutex<HTTPServer?>(nil)
  private let pageSize: Int
  public let port: UInt16

  /// - Parameter pageSize: the most entries of a listing's answer.
  public init(bucket: String, pageSize: Int = 2) throws {
    self.bucket = bucket
    self.pageSize = pageSize
    let box = Box()
    let server = try HTTPServer { request in
      box.store.withLock { $0.value }?.answer(request) ?? .bytesAndClose([])
    }
    port = server.port
    self.server.withLock { $0 = server }
    box.store.withLock { $0 = Weak(self) }
  }

  deinit { server.withLock { $0?.stop() } }

  /// Variables with which a client finds and uses the store.
  public var environment: @Sendable (String) -> String? {
    let values = [
      "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
      "AWS_REGION": "eu-test-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)",
    ]
    return { values[$0] }
  }

  /// Which fault each request meets from now on.
  public func inject(_ fault: @escaping @Sendable (HTTPServer.Request) -> Fault?) {
    state.withLock { $0.fault = fault }
  }

  /// All requests since the last call.
  public func takeRequests() -> [HTTPServer.Request] {
    state.withLock { state in
      defer { state.requests = [] }
      return state.requests
    }
  }

  public var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
  public var uploadCount: Int { state.withLock { $0.uploads.count } }

  public subscript(key: String) -> [UInt8]? {
    get { state.withLock { $0.objects[key] } }
    set { state.withLock { $0.objects[key] = newValue } }
  }

  // MARK: Answers

  private func answer(_ request: HTTPServer.Request) -> HTTPServer.Answer {
    let fault = state.withLock { state in
      state.requests.append(request)
      return state.fault
    }(request)
    switch fault {
    case .status(let status, let code):
      return .bytes(Self.message(status, Array("<Error><Code>\(code)</Code></Error>".utf8)))
    case .lost(let hasEffect):
      if hasEffect { _ = perform(request) }
      return .bytesAndClose([])
    case .truncated(let count): return .bytesAndClose(Array(perform(request).prefix(count)))
    case .bytes(let bytes): return .bytesAndClose(bytes)
    case nil: return .bytes(perform(request))
    }
  }

  private static func message(
    _ status: Int, _ body: [UInt8] = [], headers: [(String, String)] = [], length: Int? = nil
  ) -> [UInt8] {
    var text = "HTTP/1.1 \(status) X\r\nContent-Length: \(length ?? body.count)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    return Array("\(text)\r\n".utf8) + body
  }

  private static func error(_ status: Int, _ code: String) -> [UInt8] {
    message(status, Array("<Error><Code>\(code)</Code><Message>none</Message></Error>".utf8))
  }

  private static func etag(of bytes: [UInt8]) -> String {
    // Of some of the bytes, because it is computed for every request.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(bytes.count)
    for index in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 256)) {
      hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
    }
    return "\"\(String(hash, radix: 16))\""
  }

  private func perform(_ request: HTTPServer.Request) -> [UInt8] {
    let path = HTTPServer.Request.decoded(request.path).dropFirst()
    let parts = path.split(separator: "/", maxSplits: 1)
    guard parts.first.map({ $0 == bucket }) ?? false else { return Self.error(404, "NoSuchBucket") }
    let key = parts.count > 1 ? String(parts[1]) : ""
    return state.withLock { state in
      if key.isEmpty {
        return request.value("uploads") != nil
          ? listUploads(request, state) : list(request, state)
      }
      if let id = request.value("uploadId") { return part(request, id, &state) }
      switch request.method {
      case "PUT":
        state.objects[key] = request.body
        return Self.message(200, headers: [("ETag", Self.etag(of: request.body))])
      case "POST":
        state.uploadCount += 1
        let id = "upload+\(state.uploadCount)/="
        state.uploads[id] = (key, [:])
        return Self.document("InitiateMultipartUploadResult", "<UploadId>\(id)</UploadId>")
      case "DELETE":
        state.objects[key] = nil
        return Self.message(204)
      default: return Self.content(request, state.objects[key])
      }
    }
  }

  private static func content(_ request: HTTPServer.Request, _ bytes: [UInt8]?) -> [UInt8] {
    let isHead = request.method == "HEAD"
    guard let bytes else { return isHead ? message(404) : error(404, "NoSuchKey") }
    let headers = [("ETag", etag(of: bytes))]
    if let wanted = request.headers["if-match"], wanted != etag(of: bytes) {
      return error(412, "PreconditionFailed")
    }
    if isHead { return message(200, headers: headers, length: bytes.count) }
    guard let range = request.headers["range"] else { return message(200, bytes, headers: headers) }
    let ends = range.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
    guard ends.count == 2, ends[0] < bytes.count else { return error(416, "InvalidRange") }
    return message(206, Array(bytes[ends[0]...min(ends[1], bytes.count - 1)]), headers: headers)
  }

  private static func document(_ name: String, _ content: String) -> [UInt8] {
    message(
      200,
      Array("<?xml version=\"1.0\"?>\n<\(name) xmlns=\"http://s3\">\(content)</\(name)>".utf8))
  }

  private func part(
    _ request: HTTPServer.Request, _ id: String, _ state: inout State
  ) -> [UInt8] {
    guard let upload = state.uploads[id] else { return Self.error(404, "NoSuchUpload") }
    switch request.method {
    case "PUT":
      guard let number = request.value("partNumber").flatMap({ Int($0) }) else {
        return Self.error(400, "InvalidPart")
      }
      state.uploads[id]?.parts[number] = request.body
      return Self.message(200, headers: [("ETag", Self.etag(of: request.body))])
    case "DELETE":
      state.uploads[id] = nil
      return Self.message(204)
    default:
      // Every part by number with its identity.
      let text = String(decoding: request.body, as: UTF8.self)
      let numbers = upload.parts.keys.sorted()
      let isRight =
        numbers == Array(1...max(1, numbers.count))
        && numbers.allSatisfy { number in
          let etag = Self.etag(of: upload.parts[number] ?? []).dropFirst().dropLast()
          return text.contains(
            "<PartNumber>\(number)</PartNumber><ETag>&quot;\(etag)&quot;</ETag>")
        }
      guard isRight else { return Self.error(400, "InvalidPart") }
      state.objects[upload.key] = numbers.flatMap { upload.parts[$0] ?? [] }
      state.uploads[id] = nil
      return Self.document("CompleteMultipartUploadResult", "<Key>x</Key>")
    }
  }

  // MARK: Listings

  private func list(_ request: HTTPServer.Request, _ state: State) -> [UInt8] {
    let prefix = request.value("prefix") ?? ""
    var entries = Set<String>()
    for key in state.objects.keys where key.hasPrefix(prefix) {
      let rest = key.dropFirst(prefix.count)
      if request.value("delimiter") == "/", let slash = rest.firstIndex(of: "/") {
        entries.insert(prefix + rest[...slash])
      } else {
        entries.insert(key)
      }
    }
    let start = request.value("continuation-token") ?? ""
    let sorted = entries.sorted().filter { $0 > start }
    let page = sorted.prefix(pageSize)
    var text = "<IsTruncated>\(sorted.count > page.count)</IsTruncated>"
    if sorted.count > page.count {
      text += "<NextContinuationToken>\(page.last ?? "")</NextContinuationToken>"
    }
    for entry in page {
      text +=
        entry.hasSuffix("/")
        ? "<CommonPrefixes><Prefix>\(entry)</Prefix></CommonPrefixes>"
        : "<Contents><Key>\(entry)</Key><Size>1</Size></Contents>"
    }
    return Self.document("ListBucketResult", text)
  }

  private func listUploads(_ request: HTTPServer.Request, _ state: State) -> [UInt8] {
    let prefix = request.value("prefix") ?? ""
    let start = request.value("upload-id-marker") ?? ""
    let sorted = state.uploads.filter { $0.value.key.hasPrefix(prefix) && $0.key > start }
      .sorted { $0.key < $1.key }
    let page = sorted.prefix(pageSize)
    var text = "<IsTruncated>\(sorted.count > page.count)</IsTruncated>"
    if let last = page.last, sorted.count > page.count {
      text += "<NextKeyMarker>\(last.value.key)</NextKeyMarker>"
      text += "<NextUploadIdMarker>\(last.key)</NextUploadIdMarker>"
    }
    for (id, upload) in page {
      text += "<Upload><Key>\(upload.key)</Key><UploadId>\(id)</UploadId></Upload>"
    }
    return Self.document("ListMultipartUploadsResult", text)
  }
}

/// Refers to a store from the closure of its server.
private final class Box: Sendable {
  let store = Mutex(Weak(nil))
}

private struct Weak: Sendable {
  private(set) weak var value: MemoryObjectStore?

  init(_ value: MemoryObjectStore?) { self.value = value }
}
