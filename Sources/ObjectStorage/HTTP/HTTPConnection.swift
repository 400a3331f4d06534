import CCurl
import Files

/// A connection to an object store, which stays open between requests. Blocks while a request is
/// under way. Requests are signed with Amazon's signature version 4, by libcurl.
///
/// Bodies are not part of the signature: their digests are in the checkpoint's manifest.
/// It is used by one thread at a time: under its bucket's lock.
final class HTTPConnection: @unchecked Sendable {
  private let transfer: UnsafeMutableRawPointer

  /// Seconds until a connection is made; without a byte moved; for a whole request.
  private static let connectTimeout = 10
  private static let silenceTimeout = 20
  private static let timeout = 600

  /// - Throws: ``S3Error`` if libcurl cannot be used.
  init() throws(S3Error) {
    try TransferCount.start()
    guard let transfer = curl_easy_init() else {
      throw S3Error(.unavailable, "there is no memory for a connection")
    }
    self.transfer = transfer
  }

  deinit { curl_easy_cleanup(transfer) }

  /// Sends a request and receives its answer, whatever its status.
  ///
  /// - Throws: ``S3Error`` `unavailable` if there is no complete answer, `credentials` if the
  ///   store's certificate is not trusted.
  func send(_ request: HTTPRequest, as account: S3Account) throws(S3Error) -> HTTPResponse {
    guard TransferCount.begin() else {
      throw S3Error(.unavailable, "the process ends")
    }
    defer { TransferCount.end() }
    // Keeps the connection.
    curl_easy_reset(transfer)
    let receiver = HTTPReceiver(limit: request.mostBytes)
    let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    defer { reason.deallocate() }
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    var headers: UnsafeMutablePointer<curl_slist>?
    defer { curl_slist_free_all(headers) }
    for (name, value) in Self.headers(of: request, account) {
      headers = curl_slist_append(headers, "\(name): \(value)")
    }
    ccurl_set_pointer(transfer, CURLOPT_ERRORBUFFER, reason)
    ccurl_set_headers(transfer, headers)
    set(request, account)
    ccurl_set_receiver(transfer) { bytes, size, count, data in
      HTTPReceiver.of(data)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
    }
    ccurl_set_pointer(transfer, CURLOPT_WRITEDATA, Unmanaged.passUnretained(receiver).toOpaque())
    let code = curl_easy_perform(transfer)
    guard code == CURLE_OK else {
      let text = String(cString: reason)
      let place = account.place.sanitized(atMost: 120)
      guard !receiver.isTooLarge else {
        throw S3Error(
          .unavailable, "the answer of \(place) has more than \(request.mostBytes) bytes")
      }
      let found = (text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        .sanitized(atMost: 160)
      guard code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE else {
        throw S3Error(
          .credentials,
          "\(found); set AWS_CA_BUNDLE to a file with the certificate of the authority that "
            + "\(place) has its own from")
      }
      throw S3Error(
        .unavailable,
        "\(found); check that \(place) can be reached from here, and AWS_ENDPOINT_URL")
    }
    return HTTPResponse(
      status: ccurl_status(transfer), body: receiver.bytes, etag: header("ETag"),
      contentLength: header("Content-Length").flatMap { Int($0) })
  }

  private static func headers(
    of request: HTTPRequest, _ account: S3Account
  ) -> [(name: String, value: String)] {
    var headers = request.headers
    headers.append(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"))
    if let token = account.sessionToken { headers.append(("x-amz-security-token", token)) }
    if request.method == .put || request.method == .post {
      headers.append(("Content-Type", "application/octet-stream"))
    }
    return headers
  }

  private func set(_ request: HTTPRequest, _ account: S3Account) {
    ccurl_set_text(transfer, CURLOPT_URL, request.url)
    ccurl_set_text(transfer, CURLOPT_USERNAME, account.accessKey)
    ccurl_set_text(transfer, CURLOPT_PASSWORD, account.secretKey)
    ccurl_set_text(transfer, CURLOPT_AWS_SIGV4, "aws:amz:\(account.region):s3")
    ccurl_set_text(transfer, CURLOPT_PROTOCOLS_STR, "http,https")
    ccurl_set_text(transfer, CURLOPT_USERAGENT, "mrdib")
    if let certificates = account.certificates {
      ccurl_set_text(transfer, CURLOPT_CAINFO, certificates)
    }
    for (option, value) in [
      // Timeouts without signals, which belong to the program.
      (CURLOPT_NOSIGNAL, 1), (CURLOPT_PATH_AS_IS, 1), (CURLOPT_NOPROGRESS, 0),
      (CURLOPT_CONNECTTIMEOUT, Self.connectTimeout), (CURLOPT_TIMEOUT, Self.timeout),
      (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, Self.silenceTimeout),
    ] { ccurl_set_number(transfer, option, value) }
    ccurl_set_progress(transfer) { _, _, _, _, _ in TransferCount.isEnding ? 1 : 0 }
    switch request.method {
    case .get: ccurl_set_number(transfer, CURLOPT_HTTPGET, 1)
    case .head: ccurl_set_number(transfer, CURLOPT_NOBODY, 1)
    case .delete: ccurl_set_text(transfer, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    case .put, .post:
      ccurl_set_number(transfer, CURLOPT_POST, 1)
      ccurl_set_size(transfer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
      if let body = request.body.baseAddress {
        ccurl_set_pointer(transfer, CURLOPT_POSTFIELDS, body)
      } else {
        // Without a pointer libcurl would read the body from stdin.
        ccurl_set_text(transfer, CURLOPT_COPYPOSTFIELDS, "")
      }
      ccurl_set_text(transfer, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }
    if let range = request.range, !range.isEmpty {
      ccurl_set_text(transfer, CURLOPT_RANGE, "\(range.lowerBound)-\(range.upperBound - 1)")
    }
  }

  private func header(_ name: String) -> String? {
    var found: UnsafeMutablePointer<curl_header>?
    guard curl_easy_header(transfer, name, 0, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK,
      let value = found?.pointee.value
    else { return nil }
    return String(validatingCString: value)
  }
}

/// Collects the body of an answer up to a limit.
private final class HTTPReceiver {
  private let limit: Int
  private(set) var bytes: [UInt8] = []
  private(set) var isTooLarge = false

  init(limit: Int) { self.limit = limit }

  static func of(_ data: UnsafeMutableRawPointer?) -> HTTPReceiver? {
    data.map { Unmanaged<HTTPReceiver>.fromOpaque($0).takeUnretainedValue() }
  }

  /// - Returns: how many bytes were accepted; fewer than all end the transfer.
  func receive(_ received: UnsafeRawBufferPointer) -> Int {
    guard bytes.count + received.count <= limit else {
      isTooLarge = true
      return 0
    }
    bytes += received
    return received.count
  }
}
