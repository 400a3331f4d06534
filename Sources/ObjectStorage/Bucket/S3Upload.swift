import Files

/// Writes an object of any size in pieces with bounded memory: small ones with one request, larger
/// ones in parts that are combined at the end. Until then there is no object.
///
/// Not finished, its parts are deleted with it. A process that is killed cannot do that: see
/// ``S3Bucket/uploads(_:)``.
package final class S3Upload {
  private let bucket: S3Bucket
  private let key: String
  private var buffer: UnsafeMutableRawBufferPointer
  private var bufferedCount = 0
  private var byteCount = 0
  private var id: String?
  private var etags: [String] = []

  /// The size of parts but the last; larger for objects that would have too many.
  static let standardPartBytes = 8 << 20
  /// Stores accept 10,000 parts.
  private static let mostParts = 9_000

  /// - Parameter byteCount: of the whole object, which the parts' size depends on.
  package init(to key: String, byteCount: Int, in bucket: S3Bucket, partBytes: Int? = nil) {
    self.bucket = bucket
    self.key = key
    let standard = partBytes ?? Self.standardPartBytes
    let needed = byteCount / Self.mostParts
    let partBytes = needed < standard ? standard : (needed >> 20 + 1) << 20
    buffer = .allocate(byteCount: max(1, min(partBytes, byteCount)), alignment: 64)
  }

  deinit {
    buffer.deallocate()
    if let id { try? bucket.abort(S3Bucket.Upload(key: key, id: id)) }
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws(S3Error) {
    var done = 0
    while done < bytes.count {
      if bufferedCount == buffer.count { try sendPart() }
      let count = min(bytes.count - done, buffer.count - bufferedCount)
      UnsafeMutableRawBufferPointer(rebasing: buffer[bufferedCount..<bufferedCount + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[done..<done + count]))
      done += count
      bufferedCount += count
      byteCount += count
    }
  }

  /// Creates the object.
  package func finish() throws(S3Error) {
    guard let id else { return try bucket.put(buffered, to: key) }
    try sendPart()
    try bucket.complete(
      S3Bucket.Upload(key: key, id: id), parts: etags, byteCount: byteCount)
    self.id = nil
  }

  private var buffered: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: buffer[..<bufferedCount])
  }

  private func sendPart() throws(S3Error) {
    let id: String
    if let begun = self.id {
      id = begun
    } else {
      id = try bucket.beginUpload(to: key)
      self.id = id
    }
    etags.append(
      try bucket.put(
        buffered, asPart: etags.count + 1, of: S3Bucket.Upload(key: key, id: id)))
    bufferedCount = 0
  }
}

extension S3Bucket {
  fileprivate func beginUpload(to key: String) throws(S3Error) -> String {
    let call = Call(method: .post, key: key, query: [("uploads", "")])
    let document = try document(call, named: "InitiateMultipartUploadResult")
    guard let id = document.first("UploadId"), !id.isEmpty else {
      throw S3Error(.malformed, "its answer has no upload")
    }
    return id
  }

  /// - Returns: the part's identity, which completing the upload needs.
  fileprivate func put(
    _ bytes: UnsafeRawBufferPointer, asPart number: Int, of upload: Upload
  ) throws(S3Error) -> String {
    let query = [("partNumber", "\(number)"), ("uploadId", upload.id)]
    let call = Call(method: .put, key: upload.key, query: query)
    let response = try send(call, body: bytes) { (response) throws(S3Error) in
      guard response.etag != nil else { throw Self.cut("no entity tag") }
    }
    return response.etag ?? ""
  }

  fileprivate func complete(
    _ upload: Upload, parts: [String], byteCount: Int
  ) throws(S3Error) {
    var text = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    for (index, etag) in parts.enumerated() {
      text +=
        "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(etag.xmlEscaped)</ETag></Part>"
    }
    text += "</CompleteMultipartUpload>"
    let body = Array(text.utf8)
    let call = Call(method: .post, key: upload.key, query: [("uploadId", upload.id)])
    do throws(S3Error) {
      _ = try body.withUnsafeBufferPointer { (body) throws(S3Error) in
        try send(call, body: UnsafeRawBufferPointer(body)) { (response) throws(S3Error) in
          guard !response.body.isEmpty else { throw Self.cut("no content") }
          // The status is sent before the parts are combined, which may still fail.
          let document = try XMLElement(parsing: response.body)
          guard document.name == "CompleteMultipartUploadResult" else {
            throw S3Error(response, from: "the object store")
          }
        }
      }
    } catch  where error.code == "NoSuchUpload" {
      // A repeated request, if the answer to the first was lost.
      guard try object(upload.key).byteCount == byteCount else { throw error }
    } catch {
      throw error
    }
  }

  /// Deletes the parts of an upload.
  package func abort(_ upload: Upload) throws(S3Error) {
    do throws(S3Error) {
      _ = try send(Call(method: .delete, key: upload.key, query: [("uploadId", upload.id)]))
    } catch  where error.code == "NoSuchUpload" || error.kind == .noObject {
      return
    } catch {
      throw error
    }
  }
}

extension String {
  /// As the text of an XML element.
  fileprivate var xmlEscaped: String {
    reduce(into: "") { text, character in
      switch character {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      default: text.append(character)
      }
    }
  }
}
