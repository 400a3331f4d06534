import Messages
import Testing

@Suite("Decoding of damaged messages")
struct DecodingFuzzTests {
  /// SplitMix64: the same damage in every run.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// Decodes with every decoder. What is accepted must say the same after another journey.
  private func decodeAll(
    _ message: WireMessage, limits: WireLimits
  ) -> (accepted: Int, refused: Int) {
    var accepted = 0
    var refused = 0
    func attempt(_ decode: () throws -> (first: String, second: String)) {
      do {
        let (first, second) = try decode()
        accepted += 1
        // protobuf takes −0 for the default of a lone number and does not write it.
        let isSame =
          first.replacing("-0.0", with: "0.0") == second.replacing("-0.0", with: "0.0")
        if !isSame { Issue.record("'\(first)' became '\(second)'") }
      } catch let error as WireError {
        refused += 1
        if error.message.isEmpty { Issue.record("a refusal without words") }
      } catch {
        Issue.record("\(error)")
      }
    }
    attempt {
      let first = try DataRequest(decoding: message, limits: limits)
      return (Fingerprint.of(first), Fingerprint.of(try DataRequest(decoding: first.encoded())))
    }
    attempt {
      let first = try DataReply(decoding: message, limits: limits)
      return (Fingerprint.of(first), Fingerprint.of(try DataReply(decoding: first.encoded())))
    }
    attempt {
      let first = try NodeMessage(decoding: message, limits: limits)
      return (Fingerprint.of(first), Fingerprint.of(try NodeMessage(decoding: first.encoded())))
    }
    attempt {
      let first = try CoordinatorMessage(decoding: message, limits: limits)
      return (
        Fingerprint.of(first), Fingerprint.of(try CoordinatorMessage(decoding: first.encoded()))
      )
    }
    return (accepted, refused)
  }

  private func damaged(_ message: WireMessage, using generator: inout Generator) -> WireMessage {
    var frames = message.frames.map { $0.array(of: UInt8.self) }
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let target = frames.indices.randomElement(using: &generator) ?? 0
      let count = frames[target].count
      switch Int.random(in: 0..<8, using: &generator) {
      case 0...2 where count > 0:
        let index = Int.random(in: 0..<count, using: &generator)
        frames[target][index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 3 where count > 0:
        frames[target][Int.random(in: 0..<count, using: &generator)] =
          [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
      case 4:
        frames[target].removeLast(Int.random(in: 0...count, using: &generator))
      case 5 where count > 0:
        let start = Int.random(in: 0..<count, using: &generator)
        let end = Int.random(in: start..<count, using: &generator)
        frames[target].insert(contentsOf: frames[target][start...end], at: start)
      case 6:
        frames[target] += (0..<Int.random(in: 1...12, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
      default:
        let random = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) { frames.append(random) } else { frames[target] = random }
      }
    }
    return WireMessage(frames: frames.map { Payload.copying($0) })
  }

  @Test("never traps, and accepts only what it can say again", arguments: 0..<8 as Range<UInt64>)
  func damagedMessages(seed: UInt64) {
    var generator = Generator(state: seed)
    var accepted = 0
    var refused = 0
    // Parsing also runs out of memory at every point.
    var cramped = WireLimits.standard
    for _ in 0..<30_000 {
      let sample = Samples.encoded.randomElement(using: &generator) ?? Samples.encoded[0]
      cramped.decodedHeaderBytes = Int.random(in: 0...1500, using: &generator)
      let limits = Bool.random(using: &generator) ? cramped : .standard
      let outcome = decodeAll(damaged(sample, using: &generator), limits: limits)
      accepted += outcome.accepted
      refused += outcome.refused
    }
    #expect(accepted + refused == 120_000)
    // Both ways were really taken.
    #expect(accepted > 1000)
    #expect(refused > 60_000)
  }
}
