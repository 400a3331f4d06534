/// Decides whether a request is answered at all: only GET and HEAD, without a body, with the token
/// if there is one, and addressed to this server.
struct RequestGate: Sendable {
  let token: WebToken?
  /// Whether only this machine reaches the server.
  let isLoopback: Bool

  /// - Returns: why the request is refused; nil if it is admitted.
  func refusal(of method: String, _ request: WebRequest) -> WebResponse? {
    guard method == "GET" || method == "HEAD" else {
      return .text(
        "only GET and HEAD", status: 405, headers: [(name: "Allow", value: "GET, HEAD")])
    }
    let length = request.headers["content-length"] ?? "0"
    guard length == "0", request.headers["transfer-encoding"] == nil else {
      return .text("a request has no body here", status: 413)
    }
    if let token {
      guard let given = Self.token(of: request), token.matches(given) else {
        return .text(
          "the token is missing or wrong", status: 401,
          headers: [(name: "WWW-Authenticate", value: "Bearer")])
      }
    } else if isLoopback, let host = request.headers["host"], !Self.isThisMachine(host) {
      // A web page elsewhere can give its own name the address 127.0.0.1, and then a browser of
      // this machine would let it read the answers. The name is in the header.
      return .text("this server answers to 'localhost' and to addresses only", status: 421)
    }
    return nil
  }

  private static func token(of request: WebRequest) -> String? {
    let scheme = "bearer "
    if let header = request.headers["authorization"], header.lowercased().hasPrefix(scheme) {
      return String(header.dropFirst(scheme.count))
    }
    return request.query["token"]
  }

  /// Whether a header `Host` has `localhost` or an address of numbers.
  private static func isThisMachine(_ header: String) -> Bool {
    if header.hasPrefix("[") { return true }
    let host = header.split(separator: ":", omittingEmptySubsequences: false)[0].lowercased()
    return host == "localhost"
      || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
  }
}
