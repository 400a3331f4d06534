/// An error of an HTTP server: its address, its token, or its start.
package struct WebError: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Code: Sendable {
    /// The text is not an address.
    case invalidAddress
    /// The host is unknown, or no interface of this machine has the address.
    case addressNotAvailable
    case addressInUse
    case permissionDenied
    /// The file of the token is missing or unreadable.
    case tokenMissing
    /// The file has no usable token.
    case invalidToken
    /// A limit of the operating system was reached.
    case resourceLimit
    /// Any other error of libmicrohttpd or the operating system.
    case failed
  }

  package let code: Code
  /// One sentence: what was attempted, on what, what was found, what to do.
  package let message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
