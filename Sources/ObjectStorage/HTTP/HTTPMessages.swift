/// A request to an object store, without its signature.
struct HTTPRequest {
  enum Method: String {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case delete = "DELETE"
  }

  let method: Method
  let url: String
  /// Signed with the request. Values are not empty.
  var headers: [(name: String, value: String)] = []
  /// Sent with PUT and POST; valid during the request.
  var body = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Which bytes of an object are wanted; nil: all.
  var range: Range<Int>?
  /// The largest body of an answer that is accepted.
  var mostBytes = 16 << 20
}

/// The answer to a request.
struct HTTPResponse {
  let status: Int
  let body: [UInt8]
  /// The version of the object, in quotation marks as the store writes it.
  let etag: String?
  /// The size of the body; of a HEAD request's object.
  let contentLength: Int?

  var isSuccess: Bool { (200..<300).contains(status) }
}
