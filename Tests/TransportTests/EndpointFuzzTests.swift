import TestSupport
import Testing
import Transport

/// Parsing an address never traps, refuses with a
/// sentence, and an accepted one is the same when it is written and read again.
@Suite("Damaged addresses")
struct EndpointFuzzTests {
  @Test("addresses")
  func addresses() throws {
    let inputs = InputMutator(
      texts: [
        "tcp://10.0.0.7:4000", "tcp://[::1]:4000", "tcp://server-0.mrdib:65535", "tcp://*:*",
        "tcp://0.0.0.0:0", "ipc:///run/mrdib/server", "ipc://@abstract",
        "ipc:///" + String(repeating: "x", count: 106),
      ],
      words: [
        "tcp://", "ipc://", ":", "*", "[", "]", "/", ";", "@", " ", "\0", "\n", "\u{1B}[2J", "ü",
        "%eth0",
      ])
    try FuzzRun.run(
      .file("endpoint", inputs: inputs, rounds: 150_000) { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let endpoint: Endpoint
        do throws(TransportError) {
          endpoint = try Endpoint(text)
        } catch {
          return .refused(error.message)
        }
        let written = endpoint.description
        guard try Endpoint(written) == endpoint else {
          throw FuzzFailure("\(endpoint.kind) is written as '\(written)'")
        }
        // libzmq reads up to the first NUL, and logs lines.
        guard !written.utf8.contains(where: { $0 < 0x20 }) else {
          throw FuzzFailure("\(endpoint.kind) holds control characters")
        }
        return .accepted
      })
  }
}
