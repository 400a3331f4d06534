import TestSupport
import Testing
import Web

/// Parsing an address never traps and refuses with a sentence.
@Suite("Damaged addresses of HTTP servers")
struct WebAddressFuzzTests {
  @Test("damaged addresses are refused, or are the same when written and read again")
  func damaged() throws {
    let inputs = InputMutator(
      texts: ["9100", ":9100", "10.0.0.7:4000", "[::1]:4000", "server-0.mrdib:65535", "*:0"],
      words: [":", "*", "[", "]", "/", "@", " ", "\0", "\n", "\u{1B}[2J", "ü", "%eth0", "+", "-"])
    try FuzzRun.run(
      .file("web-address", inputs: inputs, rounds: 100_000) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let address: WebAddress
        do throws(WebError) {
          address = try WebAddress(text)
        } catch {
          return .refused(error.message)
        }
        guard try WebAddress(address.description) == address else {
          throw FuzzFailure("'\(address.host)' is written as '\(address)'")
        }
        guard address.host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
          throw FuzzFailure("'\(address.host)' holds other characters than a host has")
        }
        return .accepted
      })
  }
}
