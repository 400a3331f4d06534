import Foundation

/// Runs a parser on one input after the other.
///
/// No input may end the process or take longer than ``secondsPerInput`` of its time, all inputs
/// together may not make memory grow by more than ``memoryBudget``, refusals must be sentences, and
/// the parser's ``FuzzedParser/check`` must hold.
public enum FuzzRun {
  static let secondsPerInput = 1.0
  static let memoryBudget = 64 << 20
  /// Refusals are read by users.
  static let longestSentence = 1024

  /// - Throws: ``FuzzFailure`` for the first input that breaks a property, with how to repeat it;
  ///   also if (nearly) all inputs were accepted or refused, which would test little.
  public static func run(_ parser: FuzzedParser) throws {
    let settings = FuzzSettings.read()
    guard settings.parser ?? parser.name == parser.name else { return }
    let rounds = settings.rounds ?? UInt64(parser.rounds)
    let record = try FuzzRecord(
      path: settings.folder.map { "\($0)/last" }, name: parser.name, seed: settings.seed)
    let watch = FuzzWatch(record, name: parser.name, seed: settings.seed, limit: 60)
    defer { watch.end() }
    var memory = settings.folder.map { _ in MemoryWatch() }
    let start = processorSeconds()
    var slowest = (seconds: 0.0, counter: settings.first)
    for counter in settings.first..<settings.first + rounds {
      record.counter = counter
      do {
        let seconds = try attempt(parser, settings, counter, record)
        if seconds > slowest.seconds { slowest = (seconds, counter) }
        guard seconds <= secondsPerInput else {
          throw FuzzFailure("took \(seconds) seconds of processor time")
        }
        if counter - settings.first == 1000 { memory?.begin() }
        try memory?.check()
      } catch {
        throw FuzzFailure(
          "\(parser.name), seed \(settings.seed), counter \(counter): \(error)\n"
            + "Again: scripts/fuzz --again \(parser.name) \(settings.seed) \(counter)")
      }
    }
    let seconds = processorSeconds() - start
    if let folder = settings.folder {
      let row: [String] = [
        parser.name, String(rounds), String(record.accepted), String(rounds - record.accepted),
        String(format: "%.1f", seconds), String(Int(Double(rounds) / seconds)),
        String(format: "%.1f", slowest.seconds * 1000), String(slowest.counter),
        String((memory?.growth ?? 0) >> 20),
      ]
      try (row.joined(separator: "\t") + "\n").write(
        toFile: "\(folder)/result", atomically: true, encoding: .utf8)
    }
    try checkShares(parser, rounds: rounds, accepted: record.accepted)
  }

  /// Runs one input; returns the processor time that it took.
  private static func attempt(
    _ parser: FuzzedParser, _ settings: FuzzSettings, _ counter: UInt64, _ record: FuzzRecord
  ) throws -> Double {
    var random = SeededGenerator(seed: settings.seed, counter: counter)
    let parts = parser.inputs.input(using: &random)
    if settings.showsInputs { show(parts) }
    let start = threadSeconds()
    let verdict = try parser.check(parts, &random)
    let seconds = threadSeconds() - start
    switch verdict {
    case .accepted: record.accepted += 1
    case .refused(let sentence): try checkSentence(sentence)
    }
    return seconds
  }

  /// Checks that a message is short and safe for a terminal.
  private static func checkSentence(_ sentence: String) throws {
    guard !sentence.isEmpty else { throw FuzzFailure("refused without a word") }
    // Bytes first: nearly all sentences are short and plain.
    guard
      !sentence.utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
        || sentence.utf8.count > longestSentence
    else { return }
    let isControl = { (scalar: Unicode.Scalar) in
      scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
    guard !sentence.unicodeScalars.contains(where: isControl) else {
      throw FuzzFailure("refused with control characters in: \(sentence.debugDescription)")
    }
    guard sentence.count <= longestSentence else {
      throw FuzzFailure("refused with \(sentence.count) characters: \(sentence.prefix(200))…")
    }
  }

  private static func checkShares(
    _ parser: FuzzedParser, rounds: UInt64, accepted: UInt64
  ) throws {
    guard rounds >= 10_000 else { return }
    guard accepted >= rounds / 1000, rounds - accepted >= rounds / 1000 else {
      throw FuzzFailure(
        "\(parser.name): \(accepted) of \(rounds) inputs were accepted; such inputs test little")
    }
  }

  /// Unbuffered, because the input may end the process.
  private static func show(_ parts: [[UInt8]]) {
    for (index, part) in parts.enumerated() {
      let hexadecimal = part.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      let text = String(decoding: part, as: UTF8.self).debugDescription
      FileHandle.standardError.write(
        Data(
          """
          fuzz: part \(index), \(part.count) bytes: \(hexadecimal.joined())
          fuzz: as text: \(text)

          """.utf8))
    }
  }

  private static func processorSeconds() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }
  private static func threadSeconds() -> Double { seconds(CLOCK_THREAD_CPUTIME_ID) }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// How much the process's memory has grown since the first inputs. An allocation far beyond the
/// budget fails, and ends the process at the input that caused it.
private struct MemoryWatch {
  private static let reserve: UInt64 = 4 << 30
  private var baseline: Int?

  init() {
    let pages =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?
      .split(separator: " ").first.flatMap { UInt64($0) } ?? 0
    var limit = rlimit()
    guard pages > 0, getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return }
    let used = pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    limit.rlim_cur = min(limit.rlim_max, rlim_t(used + Self.reserve))
    setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
  }

  mutating func begin() { baseline = Self.peak() }

  var growth: Int { baseline.map { Self.peak() - $0 } ?? 0 }

  func check() throws {
    guard growth <= FuzzRun.memoryBudget else {
      throw FuzzFailure("memory has grown by \(growth >> 20) MiB, up to this input")
    }
  }

  private static func peak() -> Int {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return usage.ru_maxrss << 10
  }
}

/// Settings from `scripts/fuzz`; without it, the defaults of a run of all tests.
struct FuzzSettings {
  /// Inputs per parser; nil: the parser's own number.
  let rounds: UInt64?
  let seed: UInt64
  /// Counter of the first input.
  let first: UInt64
  /// The file of the ``FuzzRecord``; nil: none. With it, the process does nothing else, so that its
  /// memory is the parser's.
  let folder: String?
  /// The only parser to run; nil: all.
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
