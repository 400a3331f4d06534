/// A GET or HEAD request that was admitted: its method and token were checked.
package struct WebRequest: Sendable, Equatable {
  /// The path, with percent signs decoded; it begins with a slash.
  package var path: String
  /// The parameters after the question mark, decoded. Of equal names the last one counts.
  package var query: [String: String]
  /// The headers, by their names in lower case. Of equal names the last one counts.
  package var headers: [String: String]

  package init(path: String, query: [String: String] = [:], headers: [String: String] = [:]) {
    self.path = path
    self.query = query
    self.headers = headers
  }
}

/// What is sent back. The server adds the length and the headers of ``WebServer``.
package struct WebResponse: Sendable, Equatable {
  package var status: Int
  /// Such as `text/plain; charset=utf-8`.
  package var contentType: String
  package var body: [UInt8]
  /// More headers, in order; one with the name of a header of the server replaces that.
  package var headers: [(name: String, value: String)]

  package init(
    status: Int = 200, contentType: String, body: [UInt8],
    headers: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.contentType = contentType
    self.body = body
    self.headers = headers
  }

  /// A line of text.
  package static func text(
    _ line: String, status: Int = 200, headers: [(name: String, value: String)] = []
  ) -> WebResponse {
    WebResponse(
      status: status, contentType: "text/plain; charset=utf-8", body: Array("\(line)\n".utf8),
      headers: headers)
  }

  /// The answer to a path that does not exist.
  package static let notFound = text("not found", status: 404)

  package static func == (left: WebResponse, right: WebResponse) -> Bool {
    left.status == right.status && left.contentType == right.contentType && left.body == right.body
      && left.headers.elementsEqual(right.headers, by: ==)
  }
}
