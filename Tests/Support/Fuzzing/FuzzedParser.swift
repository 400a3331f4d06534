/// A parser and a property that must hold for every input.
///
/// A test of a parser is in a suite whose type's name ends with `FuzzTests`, where `scripts/fuzz`
/// finds it, and calls ``FuzzRun/run(_:)`` once:
///
///     @Suite("Damaged manifests")
///     struct ManifestFuzzTests {
///       @Test("manifests")
///       func manifests() throws {
///         let file = try MemoryFile("manifest.json")
///         let inputs = InputMutator(files: [wellFormed, another], words: ["null", "1e999"])
///         try FuzzRun.run(
///           .file("manifest", inputs: inputs, rounds: 20_000) { bytes in
///             try file.write(bytes)
///             do {
///               let manifest = try Manifest(path: file.path)
///               // Use it, write it, read that again; throw a FuzzFailure if it is another.
///               return .accepted
///             } catch let error as ManifestError {
///               return .refused(error.message)
///             }
///           })
///       }
///     }
///
/// Where a checksum guards the content, correct it in most inputs before parsing, so that the
/// checks after it are reached.
public struct FuzzedParser: Sendable {
  public enum Verdict: Sendable {
    case accepted
    /// With the message to the user.
    case refused(String)
  }

  /// The name in tables and reports.
  public let name: String
  public let inputs: InputMutator
  /// The number of inputs in a run of all tests; about a second's worth.
  public let rounds: Int
  /// Parses an input, uses what was accepted, and throws ``FuzzFailure`` if a property is broken.
  public let check:
    @Sendable (_ parts: [[UInt8]], _ random: inout SeededGenerator) throws -> Verdict

  public init(
    _ name: String, inputs: InputMutator, rounds: Int,
    check: @escaping @Sendable ([[UInt8]], inout SeededGenerator) throws -> Verdict
  ) {
    self.name = name
    self.inputs = inputs
    self.rounds = rounds
    self.check = check
  }

  /// A parser whose inputs have one part.
  public static func file(
    _ name: String, inputs: InputMutator, rounds: Int,
    check: @escaping @Sendable ([UInt8]) throws -> Verdict
  ) -> FuzzedParser {
    FuzzedParser(name, inputs: inputs, rounds: rounds) { parts, _ in try check(parts[0]) }
  }
}

/// A property that an input has broken.
public struct FuzzFailure: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
