import Web

/// The page of a run or of a folder with runs: its files, which are part of the program, and two
/// answers in JSON that its script asks for.
///
///     /                       the page, with page.css, *.js and icon.svg
///     /api/runs               the runs: keys, states, curves
///     /api/run?run=KEY&since=E  the overview of a run, with the epochs from E on
///
/// The page asks nothing of any other server, and its policy lets a browser load nothing else.
package struct PageSite: Sendable {
  /// Where the answers come from. Called on the server's thread.
  package struct Source: Sendable {
    /// JSON; ``nothingYet`` before there is anything to show.
    let runs: @Sendable () -> [UInt8]
    /// JSON; nil if there is no such run.
    let run: @Sendable (_ key: String, _ since: UInt32) -> [UInt8]?

    package static let nothingYet = Array("null".utf8)

    package init(
      runs: @escaping @Sendable () -> [UInt8],
      run: @escaping @Sendable (_ key: String, _ since: UInt32) -> [UInt8]?
    ) {
      self.runs = runs
      self.run = run
    }
  }

  /// Scripts and styles of the page itself only; no frames, forms or plug-ins.
  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private let source: Source

  package init(_ source: Source) { self.source = source }

  /// The answer to a request that the server has admitted.
  package func respond(to request: WebRequest) -> WebResponse {
    switch request.path {
    case "/": return file("index.html", for: request)
    case "/api/runs": return json(source.runs())
    case "/api/run":
      guard let since = UInt32(request.query["since"] ?? "0") else {
        return .text("since is not the number of an epoch", status: 400)
      }
      guard let body = source.run(request.query["run"] ?? "", since) else { return .notFound }
      return json(body)
    default: return file(String(request.path.dropFirst()), for: request)
    }
  }

  private func json(_ body: [UInt8]) -> WebResponse {
    WebResponse(contentType: "application/json", body: body)
  }

  private func file(_ name: String, for request: WebRequest) -> WebResponse {
    guard let file = PageFiles.all[name] else { return .notFound }
    guard name == "index.html" else {
      return WebResponse(contentType: file.type, body: Array(file.text.utf8))
    }
    // A browser asks for the page's files without a header for the token.
    let query = request.query["token"].map { "?token=\(Self.encoded($0))" } ?? ""
    let text = file.text.split(separator: "{{QUERY}}", omittingEmptySubsequences: false)
      .joined(separator: query)
    return WebResponse(
      contentType: file.type, body: Array(text.utf8),
      headers: [(name: "Content-Security-Policy", value: Self.policy)])
  }

  /// With percent signs for all but letters and digits of ASCII, which mean nothing in HTML.
  static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
      if isPlain, byte < 0x80 { return String(UnicodeScalar(byte)) }
      let digits = String(byte, radix: 16, uppercase: true)
      return "%" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}
