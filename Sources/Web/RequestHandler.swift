internal import CMicroHTTPD

/// Answers the requests of libmicrohttpd's connections.
final class RequestHandler: Sendable {
  private let gate: RequestGate
  private let respond: @Sendable (WebRequest) -> WebResponse

  init(gate: RequestGate, respond: @escaping @Sendable (WebRequest) -> WebResponse) {
    self.gate = gate
    self.respond = respond
  }

  /// Called once with the headers and, if nothing was answered then, again at the request's end.
  ///
  /// A request is refused at its headers, and its connection is then closed, so that no body is
  /// ever read. An admitted one is answered at its end, and its connection can be used again.
  static let callback: MHD_AccessHandlerCallback = {
    context, connection, url, method, _, _, uploadSize, state in
    guard let context, let connection, let url, let method, let state else { return .NO }
    let handler = Unmanaged<RequestHandler>.fromOpaque(context).takeUnretainedValue()
    if let uploadSize, uploadSize.pointee > 0 { return .NO }
    let request = WebRequest(
      path: String(cString: url), query: values(.GET_ARGUMENT_KIND, of: connection),
      headers: values(.HEADER_KIND, of: connection, lowercased: true))
    guard state.pointee != nil else {
      if let refusal = handler.gate.refusal(of: String(cString: method), request) {
        return send(refusal, to: connection)
      }
      // Any pointer: it marks the request as admitted.
      state.pointee = context
      return .YES
    }
    return send(handler.respond(request), to: connection)
  }

  private final class Values {
    var list: [String: String] = [:]
    let isLowercased: Bool
    init(lowercased: Bool) { isLowercased = lowercased }
  }

  private static func values(
    _ kind: MHD_ValueKind, of connection: OpaquePointer, lowercased: Bool = false
  ) -> [String: String] {
    let values = Values(lowercased: lowercased)
    MHD_get_connection_values(
      connection, kind,
      { context, _, name, value in
        guard let context, let name else { return .YES }
        let values = Unmanaged<Values>.fromOpaque(context).takeUnretainedValue()
        let text = String(cString: name)
        values.list[values.isLowercased ? text.lowercased() : text] =
          value.map { String(cString: $0) } ?? ""
        return .YES
      },
      Unmanaged.passUnretained(values).toOpaque())
    return values.list
  }

  private static func send(_ answer: WebResponse, to connection: OpaquePointer) -> MHD_Result {
    var body = answer.body
    let response = body.withUnsafeMutableBytes {
      MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
    }
    // Without memory for an answer the connection is closed.
    guard let response else { return .NO }
    defer { MHD_destroy_response(response) }
    let own = Set(answer.headers.map { $0.name.lowercased() })
    let common = WebServer.headers.filter { !own.contains($0.name.lowercased()) }
    let type = (name: "Content-Type", value: answer.contentType)
    for (name, value) in [type] + common + answer.headers {
      guard MHD_add_response_header(response, name, value) == .YES else { return .NO }
    }
    return MHD_queue_response(connection, UInt32(answer.status), response)
  }
}
