import Foundation

/// What `scripts/fuzz` asks for; without it, the defaults of a run of all tests.
struct FuzzSettings {
  /// Inputs per parser; nil: as many as the parser says.
  let rounds: UInt64?
  let seed: UInt64
  /// Counter of the first input.
  let first: UInt64
  /// Where to keep account; nil: nowhere. With it, the process does nothing else, so that its
  /// memory is the parser's.
  let folder: String?
  /// The only parser to be tried; nil: all.
  let parser: String?
  /// Whether to print every input.
  let showsInputs: Bool

  static func read(
    _ environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> FuzzSettings {
    FuzzSettings(
      rounds: environment["MRDIB_FUZZ_ROUNDS"].flatMap { UInt64($0) },
      seed: environment["MRDIB_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1,
      first: environment["MRDIB_FUZZ_FIRST"].flatMap { UInt64($0) } ?? 0,
      folder: environment["MRDIB_FUZZ_FOLDER"], parser: environment["MRDIB_FUZZ_PARSER"],
      showsInputs: environment["MRDIB_FUZZ_SHOW"] != nil)
  }
}
