import ObjectStorage
import Synchronization
import TestSupport
import Testing

@Suite("Faults of an object store")
struct S3FaultTests {
  private static func bucket(_ store: MemoryObjectStore, seconds: Double = 20) -> S3Bucket {
    S3Bucket(
      "runs", patience: .init(reading: seconds, writing: seconds), environment: store.environment)
  }

  /// The first `count` requests that match meet a fault.
  private static func first(
    _ count: Int, _ fault: MemoryObjectStore.Fault,
    where isMet: @escaping @Sendable (HTTPServer.Request) -> Bool = { _ in true }
  ) -> @Sendable (HTTPServer.Request) -> MemoryObjectStore.Fault? {
    let left = Mutex(count)
    return { request in
      guard isMet(request) else { return nil }
      return left.withLock { left in
        left -= 1
        return left >= 0 ? fault : nil
      }
    }
  }

  @Test(
    "what passes is tried again: an overloaded store, lost connections, half an answer",
    arguments: [
      .status(503, code: "SlowDown"), .status(500, code: "InternalError"),
      .status(400, code: "RequestTimeout"), .status(429, code: "TooManyRequests"),
      .lost(afterEffect: false), .lost(afterEffect: true), .truncated(at: 30), .bytes([]),
    ] as [MemoryObjectStore.Fault])
  func retried(fault: MemoryObjectStore.Fault) throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = Self.bucket(store)
    let bytes = S3BucketTests.bytes(5000)
    store.inject(Self.first(2, fault))
    try bucket.put(bytes, to: "k")
    #expect(store["k"] == bytes)
    // The answer to HEAD has no body, and so no code that would say that 400 passes.
    store.inject(
      Self.first(1, fault) { _ in if case .status(400, _) = fault { false } else { true } })
    let object = try bucket.object("k")
    store.inject(Self.first(1, fault))
    #expect(try bucket.read("k", 0..<5000, of: object) == bytes)
    store.inject(Self.first(1, fault))
    #expect(try bucket.list("").keys == ["k"])
  }

  @Test("half of the bytes of an object are no answer")
  func truncatedBody() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = Self.bucket(store)
    store["k"] = S3BucketTests.bytes(5000)
    let object = try bucket.object("k")
    store.inject(Self.first(2, .truncated(at: 3000)))
    #expect(try bucket.read("k", 0..<5000, of: object) == S3BucketTests.bytes(5000))
  }

  @Test("parts are sent again, and an upload is complete although the answer was lost")
  func upload() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bytes = S3BucketTests.bytes(9000)
    store.inject(Self.first(2, .lost(afterEffect: true)) { $0.value("partNumber") == "2" })
    try S3BucketTests.upload(bytes, to: "k", in: Self.bucket(store), partBytes: 4096)
    #expect(store["k"] == bytes)
    store["k"] = nil
    store.inject(
      Self.first(1, .lost(afterEffect: true)) {
        $0.method == "POST" && $0.value("uploadId") != nil
      })
    try S3BucketTests.upload(bytes, to: "k", in: Self.bucket(store), partBytes: 4096)
    #expect(store["k"] == bytes && store.uploadCount == 0)
  }

  @Test("an error behind a status of success is an error")
  func lateError() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    store.inject {
      $0.method == "POST" && $0.value("uploadId") != nil
        ? .status(200, code: "InternalError") : nil
    }
    let found = #expect(throws: S3Error.self) {
      try S3BucketTests.upload(
        S3BucketTests.bytes(9000), to: "k", in: Self.bucket(store, seconds: 0.3),
        partBytes: 4096)
    }
    #expect(found?.kind == .unavailable && store.keys == [])
  }

  @Test(
    "what does not pass is not tried again, and the sentence names what to do",
    arguments: [
      (403, "SignatureDoesNotMatch", .refused, "AWS_SECRET_ACCESS_KEY"),
      (403, "AccessDenied", .refused, "s3:PutObject"),
      (403, "RequestTimeTooSkewed", .refused, "clock"),
      (301, "PermanentRedirect", .refused, "AWS_REGION"),
      (404, "NoSuchBucket", .noBucket, "checkpoint_folder"),
      (400, "\u{1B}[31m", .malformed, "AWS_ENDPOINT_URL"), (418, "Teapot", .refused, "HTTP 418"),
    ] as [(Int, String, S3Error.Kind, String)])
  func refused(status: Int, code: String, kind: S3Error.Kind, part: String) throws {
    let store = try MemoryObjectStore(bucket: "runs")
    store.inject { _ in .status(status, code: code) }
    let found = #expect(throws: S3Error.self) {
      try Self.bucket(store).put([1] as [UInt8], to: "k")
    }
    let error = try #require(found)
    // A terminal's control character is no XML, so that only the status is known.
    #expect(error.kind == (kind == .malformed ? .refused : kind), "\(error)")
    #expect(error.reason.contains(kind == .malformed ? "HTTP 400" : part), "\(error)")
    #expect(!error.reason.contains("\u{1B}") && store.takeRequests().count == 1)
  }

  @Test("a store that cannot be reached is not waited for without end")
  func unreachable() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let environment = store.environment
    let bucket = S3Bucket("runs", patience: .init(reading: 0.5, writing: 0.5)) { name in
      // Nothing listens at this port of the machine.
      name == "AWS_ENDPOINT_URL" ? "http://127.0.0.1:1" : environment(name)
    }
    let found = try #require(throws: S3Error.self) { try bucket.list("") }
    #expect(found.kind == .unavailable && found.reason.contains("AWS_ENDPOINT_URL"))
    #expect(found.reason.contains("127.0.0.1") && found.reason.contains("tried"))
  }

  @Test("an answer without end is cut")
  func endless() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    store["k"] = [1, 2, 3]
    let bucket = Self.bucket(store, seconds: 0)
    let object = try bucket.object("k")
    let answer = Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + [UInt8](repeating: 0, count: 1 << 20)
    store.inject { _ in .bytes(answer) }
    let found = #expect(throws: S3Error.self) { try bucket.read("k", 0..<3, of: object) }
    #expect(found?.reason.contains("has more than 65536 bytes") == true, "\(found?.reason ?? "")")
  }

  @Test("a listing that repeats its page, or has none, ends with an error")
  func endlessListing() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    for token in ["", "<NextContinuationToken>same</NextContinuationToken>"] {
      let text = "<ListBucketResult><IsTruncated>true</IsTruncated>\(token)</ListBucketResult>"
      let answer = Array(
        "HTTP/1.1 200 OK\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)".utf8)
      store.inject { _ in .bytes(answer) }
      let found = #expect(throws: S3Error.self) { try Self.bucket(store).list("") }
      #expect(found?.kind == .malformed)
    }
  }

  @Test("garbage is never taken for an answer, and ends nothing")
  func garbage() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    store["k"] = S3BucketTests.bytes(100)
    let bucket = Self.bucket(store, seconds: 0)
    let object = try bucket.object("k")
    let right =
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key></Contents>"
    var random = SeededGenerator(seed: 5)
    for round in 0..<300 {
      var body = Array("\(right)</ListBucketResult>".utf8)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        body[Int.random(in: body.indices, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      var answer = Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
      if round % 3 == 0 {
        answer[Int.random(in: answer.indices, using: &random)] =
          UInt8.random(in: 0...255, using: &random)
      }
      store.inject { [answer] _ in .bytes(answer) }
      _ = try? bucket.list("")
      let read = try? bucket.read("k", 0..<50, of: object)
      #expect(read.map { $0.count <= 50 } ?? true)
    }
    store.inject { _ in nil }
    #expect(try bucket.list("").keys == ["k"])
  }
}
