import Testing
import Web

@Suite("Addresses of HTTP servers")
struct WebAddressTests {
  @Test(
    "what an address means",
    arguments: [
      ("9100", "127.0.0.1", 9100, true), (":9100", "127.0.0.1", 9100, true),
      ("0", "127.0.0.1", 0, true), ("localhost:80", "localhost", 80, true),
      ("127.1.2.3:80", "127.1.2.3", 80, true), ("[::1]:80", "::1", 80, true),
      ("0.0.0.0:80", "0.0.0.0", 80, false), ("*:65535", "*", 65_535, false),
      ("gpu-7.lab:80", "gpu-7.lab", 80, false), ("[fe80::1]:80", "fe80::1", 80, false),
      ("127.evil.example.com:80", "127.evil.example.com", 80, false),
      ("127.0.0.1.evil:80", "127.0.0.1.evil", 80, false),
    ] as [(String, String, UInt16, Bool)])
  func meaning(text: String, host: String, port: UInt16, isLoopback: Bool) throws {
    let address = try WebAddress(text)
    #expect(address.host == host)
    #expect(address.port == port)
    #expect(address.isLoopback == isLoopback)
  }

  @Test(
    "what is no address is refused with the reason",
    arguments: [
      ("", "has no port"), ("host:", "has no port"), ("host", "'host' is not a port"),
      ("65536", "'65536' is not a port"), ("+1", "'+1' is not a port"), ("-1", "'-1' is not a"),
      ("::1:80", "'::1' is not a host"), ("[]:80", "'[]' is not a host"),
      ("a b:80", "'a b' is not a host"), ("http://a:80", "'http://a' is not a host"),
      ("[::1%eth0]:80", "is not a host"), ("a\u{1B}[2J:80", "'a?[2J' is not a host"),
    ])
  func refusals(text: String, reason: String) {
    do {
      _ = try WebAddress(text)
      Issue.record("'\(text)' was accepted")
    } catch {
      #expect(error.code == .invalidAddress)
      #expect(error.message.contains(reason), "\(error)")
      #expect(error.message.hasSuffix("write it as HOST:PORT, :PORT or PORT."))
    }
  }
}
