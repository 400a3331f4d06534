import ObjectStorage
import TestSupport
import Testing

@Suite("Objects of a store over HTTP")
struct S3BucketTests {
  static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 8) }
  }

  static func upload(
    _ bytes: [UInt8], to key: String, in bucket: S3Bucket, partBytes: Int
  ) throws {
    let upload = S3Upload(to: key, byteCount: bytes.count, in: bucket, partBytes: partBytes)
    // In pieces that do not fit the parts.
    for start in stride(from: 0, to: bytes.count, by: 700) {
      try bytes[start..<min(start + 700, bytes.count)].withUnsafeBytes { try upload.append($0) }
    }
    try upload.finish()
  }

  @Test("an object is written, read in parts, listed and deleted")
  func object() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: store.environment)
    try bucket.put(Self.bytes(1000), to: "a b/ü")
    #expect(store["a b/ü"] == Self.bytes(1000))
    let object = try bucket.object("a b/ü")
    #expect(object.byteCount == 1000)
    #expect(try bucket.read("a b/ü", 990..<2000, of: object) == Array(Self.bytes(1000)[990...]))
    #expect(try bucket.read("a b/ü", 1000..<1010, of: object) == [])
    #expect(try bucket.list("a").keys == ["a b/ü"])
    try bucket.delete("a b/ü")
    try bucket.delete("a b/ü")
    #expect(store.keys == [])
    #expect(#expect(throws: S3Error.self) { try bucket.object("a b/ü") }?.kind == .noObject)
    try bucket.put([] as [UInt8], to: "empty")
    #expect(store["empty"] == [])
    #expect(try bucket.object("empty").byteCount == 0)
  }

  @Test("requests name what they sign: the content's digest, the date, the token and conditions")
  func signature() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: store.environment)
    try bucket.put(Self.bytes(10), to: "key")
    let object = try bucket.object("key")
    _ = try bucket.read("key", 0..<5, of: object)
    _ = try bucket.list("x y", byFolder: true)
    let requests = store.takeRequests()
    #expect(requests.map(\.method) == ["PUT", "HEAD", "GET", "GET"])
    for request in requests {
      let header = try #require(request.headers["authorization"])
      #expect(header.hasPrefix("AWS4-HMAC-SHA256 Credential=id/"))
      #expect(header.contains("/eu-test-1/s3/aws4_request, SignedHeaders="))
      for name in ["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"] {
        #expect(header.contains(name), "\(name) in \(header)")
        #expect(request.headers[name] != nil)
      }
      #expect(request.headers["x-amz-security-token"] == "token")
    }
    #expect(requests[2].headers["authorization"]?.contains("if-match") == true)
    #expect(requests[2].headers["range"] == "bytes=0-4")
    // The order and encoding that the signature needs.
    #expect(requests[3].query == "delimiter=%2F&encoding-type=url&list-type=2&prefix=x%20y")
  }

  @Test("listings have any number of pages, and folders are combined")
  func pages() throws {
    let store = try MemoryObjectStore(bucket: "runs", pageSize: 3)
    let bucket = S3Bucket("runs", environment: store.environment)
    for folder in 0..<5 {
      for file in 0..<4 { store["r/\(folder)/\(file)"] = [1] }
    }
    store["r/file"] = [1]
    store["s/other"] = [1]
    let folders = try bucket.list("r/", byFolder: true)
    #expect(folders.prefixes == (0..<5).map { "r/\($0)/" } && folders.keys == ["r/file"])
    #expect(try bucket.list("r/").keys.count == 21)
    let nothing = try bucket.list("none/")
    #expect(nothing.keys.isEmpty && nothing.prefixes.isEmpty)
  }

  @Test(
    "a large object is written in parts, and a small one with one request",
    arguments: [1, 4096, 4097, 9999])
  func parts(count: Int) throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: store.environment)
    try Self.upload(Self.bytes(count), to: "k", in: bucket, partBytes: 4096)
    #expect(store["k"] == Self.bytes(count) && store.uploadCount == 0)
    let requests = store.takeRequests()
    #expect(requests.count == (count <= 4096 ? 1 : 2 + (count + 4095) / 4096))
  }

  @Test("an upload that is not finished leaves nothing, and abandoned ones are listed and aborted")
  func abandoned() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: store.environment)
    do {
      let upload = S3Upload(to: "k", byteCount: 100, in: bucket, partBytes: 10)
      try Self.bytes(50).withUnsafeBytes { try upload.append($0) }
      #expect(store.uploadCount == 1)
    }
    #expect(store.uploadCount == 0 && store.keys == [])
    store.inject { $0.method == "DELETE" ? .status(403, code: "AccessDenied") : nil }
    for number in 0..<5 {
      let upload = S3Upload(to: "r/\(number)", byteCount: 100, in: bucket, partBytes: 10)
      try Self.bytes(50).withUnsafeBytes { try upload.append($0) }
    }
    #expect(store.uploadCount == 5)
    store.inject { _ in nil }
    let uploads = try bucket.uploads("r/")
    #expect(uploads.map(\.key) == (0..<5).map { "r/\($0)" })
    for upload in uploads { try bucket.abort(upload) }
    try bucket.abort(uploads[0])
    #expect(store.uploadCount == 0)
  }

  @Test("an object is read like a file, at several places at a time")
  func reader() throws {
    let store = try MemoryObjectStore(bucket: "runs")
    let bucket = S3Bucket("runs", environment: store.environment)
    let all = Self.bytes((3 << 20) + 17)
    store["k"] = all
    let reader = try S3ObjectReader("k", in: bucket)
    #expect(reader.byteCount == all.count)
    func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
      var buffer = [UInt8](repeating: 0, count: count)
      let found = try buffer.withUnsafeMutableBytes { try reader.read(into: $0, at: offset) }
      return Array(buffer[..<found])
    }
    _ = store.takeRequests()
    for _ in 0..<3 {
      for offset in [0, (1 << 20) - 5, (2 << 20) - 1, all.count - 3] {
        let end = min(offset + 10, all.count)
        #expect(try read(offset, 10) == Array(all[offset..<end]))
      }
    }
    #expect(store.takeRequests().count == 4, "one request for each window")
    #expect(try read(5, 2 << 20) == Array(all[5..<5 + 2 << 20]))
    #expect(try read(all.count, 10) == [])
    store["k"] = Array(all.reversed())
    #expect(#expect(throws: S3Error.self) { try read(5, 2 << 20) }?.kind == .replaced)
  }
}
