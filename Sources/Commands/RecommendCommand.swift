import ArgumentParser
import Files
import Foundation
import Recommenders
import Runtime

struct RecommendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recommend",
    abstract: "Print the best items for one, some or all users, by a run's best model.",
    discussion: """
      Users are named by --user, --users or --all. Results appear as they are computed. If the \
      folder of the data set has tables of original ids (users.tsv, items.tsv), users and items \
      have these ids, and items their titles.

      Items of the user's training data are left out; those of validation and test may be \
      recommended, because the model has not seen them. --exclude-all leaves \
      them out, too, as in real use.

      --new-items FOLDER ranks items that came after training instead, by their features: the \
      folder has the feature files of the data set, by the same names, one row per new item, and \
      items.tsv if they have ids. Models that can: \(modelsRankingNewItems).

      With the models whose score is a sum (\(models)) every item has a reason: the part of the \
      score that speaks most for it, which is a modality or 'interactions' (the id vectors). A \
      part counts as far as it is above its mean over all items for that user; the percentage is \
      its share of all parts that are.

        mrdib recommend --run runs/one --user A1B2 --top 10
        mrdib recommend --run runs/one --users ids.txt --format jsonl --skip-unknown
        mrdib recommend --run runs/one --all --top 50 --format tsv --out top50.tsv
        mrdib recommend --run runs/one --all --new-items arrivals
      """)

  private static var models: String { ModelRegistry.namesWithScoreParts.joined(separator: ", ") }

  private static var modelsRankingNewItems: String {
    ModelRegistry.namesRankingNewItems.joined(separator: ", ")
  }

  @Option(
    name: .customLong("run"), help: ArgumentHelp("The run's directory.", valueName: "folder"),
    completion: .directory)
  var runDirectory: String

  @Option(
    name: .customLong("user"), parsing: .singleValue,
    help: ArgumentHelp("A user's id; may be given several times (default: none).", valueName: "id"))
  var single: [String] = []

  @Option(
    name: .customLong("users"),
    help: ArgumentHelp(
      "A file of user ids, one per line, or - for standard input (default: no file).",
      valueName: "file"), completion: .file())
  var file: String?

  @Flag(help: "All users.")
  var all = false

  @Flag(help: "Leave out lines of --users that are no ids of users, and count them.")
  var skipUnknown = false

  @Option(help: "How many items.")
  var top = 10

  @Flag(help: "Include items that the user has in the training data.")
  var includeSeen = false

  @Flag(help: "Leave out all items that the user has: those of validation and test, too.")
  var excludeAll = false

  @Option(
    help: ArgumentHelp(
      "Rank the items of a folder that came after training (default: those of the data set).",
      valueName: "folder"), completion: .directory)
  var newItems: String?

  @OptionGroup var trained: TrainedDataOptions

  @Option(
    help: """
      original: the ids of the data's source, where its folder has tables of them; dense: row \
      numbers from 0.
      """)
  var ids = IdentifierStyle.original

  @Option(help: "table: for reading; tsv: one line per item; jsonl: one JSON object per user.")
  var format = RecommendationText.Format.table

  @Flag(help: "Print the JSON object of a single --user over several lines.")
  var json = false

  @Option(
    help: ArgumentHelp(
      "Write to a file, which is there when it is complete (default: stdout).", valueName: "file"),
    completion: .file())
  var out: String?

  @Flag(name: .shortAndLong, help: "Show no progress.")
  var quiet = false

  @OptionGroup var computing: ComputingOptions

  func validate() throws {
    let choices = [!single.isEmpty, file != nil, all].count { $0 }
    guard choices == 1 else {
      throw ValidationError("Name the users with one of --user, --users and --all.")
    }
    if json, single.count != 1 {
      throw ValidationError("--json is for one --user; use --format jsonl.")
    }
    if json, format != .table {
      throw ValidationError("--json and --format exclude each other.")
    }
    if includeSeen, excludeAll {
      throw ValidationError("--include-seen and --exclude-all exclude each other.")
    }
    if newItems != nil, includeSeen || excludeAll {
      throw ValidationError(
        "--new-items excludes --include-seen and --exclude-all: no user has items that came after "
          + "training.")
    }
    if skipUnknown, file == nil { throw ValidationError("--skip-unknown is for --users.") }
  }

  func run() throws {
    try reporting {
      computing.startLanes()
      let recommender = try RunRecommender(
        .init(
          run: runDirectory, count: top,
          excluded: includeSeen ? .nothing : excludeAll ? .everything : .training,
          dataFolder: trained.data, style: ids, newItems: newItems))
      if let note = recommender.note { StandardError.write("note: \(note)") }
      // On a terminal the results are the progress.
      let showsProgress = !quiet && (out != nil || !ProcessOutput.isResultsTerminal)
      let progress =
        all || out != nil
        ? try StageProgress(
          isQuiet: !showsProgress,
          consequence: out == nil ? "the results are incomplete" : "nothing was written") : nil
      // Only now, so that a signal leaves no part of a file.
      let destination = try ResultDestination(path: out)
      var printer = Printer(
        recommender, asJSON: json, format, to: destination, progress: progress)
      defer { printer.warn() }
      func recommend() throws {
        if let file {
          if !skipUnknown { try printer.check(file) }
          try printer.recommend(toListed: file, skippingUnknown: skipUnknown)
        } else if all {
          try printer.recommend(to: 0..<recommender.userCount)
        } else {
          try printer.recommend(to: try single.map { try recommender.user($0) })
        }
      }
      if let progress { try progress.run(recommend) } else { try recommend() }
      try destination.commit()
    }
  }
}

extension RecommendationText.Format: ExpressibleByArgument {}

/// Ranks some blocks at a time and prints them before the next are ranked.
private struct Printer {
  private let recommender: RunRecommender
  private let isSingleJSON: Bool
  private let text: RecommendationText
  private let destination: ResultDestination
  private let progress: StageProgress?
  private var isBegun = false
  private var cold = ColdStart()
  /// Lines that are no ids, and the first of them.
  private var unknown: (count: Int, first: String)?

  init(
    _ recommender: RunRecommender, asJSON: Bool, _ format: RecommendationText.Format,
    to destination: ResultDestination, progress: StageProgress?
  ) {
    self.recommender = recommender
    self.destination = destination
    self.progress = progress
    isSingleJSON = asJSON
    text = RecommendationText(
      format, hasTitles: recommender.hasTitles, hasReasons: recommender.hasReasons)
  }

  /// - Parameter users: rows.
  mutating func recommend(to users: some RandomAccessCollection<Int>) throws {
    var rest = users[...]
    while !rest.isEmpty, destination.isWanted {
      var blocks: [[Int]] = []
      while !rest.isEmpty, blocks.count < recommender.blocksAtOnce {
        blocks.append(Array(rest.prefix(RunRecommender.blockSize)))
        rest = rest.dropFirst(RunRecommender.blockSize)
      }
      try recommend(toBlocks: blocks)
      try progress?.report(
        "recommending", share: Double(users.count - rest.count) / Double(users.count))
    }
  }

  private mutating func recommend(toBlocks blocks: [[Int]]) throws {
    let (text, isJSON, isFirst) = (text, isSingleJSON, !isBegun)
    isBegun = true
    let results = try recommender.recommend(toBlocks: blocks) { block, answers in
      (
        answers,
        isJSON
          ? try answers.map(StandardOutput.jsonText).joined()
          : try text.text(answers, isFirst: isFirst && block == 0)
      )
    }
    for (answers, text) in results {
      for answer in answers { cold.add(answer) }
      try destination.write(text)
    }
  }

  /// Looks all ids of a file up before any output, so that nothing half-done is printed. What can
  /// be read only once, such as a pipe, is not checked.
  func check(_ path: String) throws {
    let kind = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    guard path != "-", kind == .typeRegular else { return }
    let reader = try open(path)
    while let id = try line(reader, "'\(path)'") {
      guard !id.isEmpty else { continue }
      _ = try recommender.user(id, place: " (line \(reader.line) of '\(path)')")
    }
  }

  /// - Parameter path: of a file with an id per line; `-` is standard input.
  mutating func recommend(toListed path: String, skippingUnknown: Bool) throws {
    let reader = try open(path)
    let name = path == "-" ? "standard input" : "'\(path)'"
    var block: [Int] = []
    while destination.isWanted {
      // A block is not made full if that means to wait for input.
      if block.count == RunRecommender.blockSize || (!block.isEmpty && !reader.isNextReady) {
        try recommend(to: block)
        block.removeAll()
      }
      // Reading would not notice a signal.
      try progress?.wait { reader.isNextReady }
      guard let id = try line(reader, name) else { break }
      guard !id.isEmpty else { continue }
      do {
        block.append(try recommender.user(id, place: " (line \(reader.line) of \(name))"))
      } catch {
        // What was asked for before is answered.
        guard skippingUnknown else {
          try recommend(to: block)
          throw error
        }
        let first = unknown?.first ?? "'\(id.sanitized())' in line \(reader.line)"
        unknown = ((unknown?.count ?? 0) + 1, first)
      }
    }
    try recommend(to: block)
  }

  private func open(_ path: String) throws -> InputLineReader {
    guard path != "-" else { return .standardInput() }
    do {
      return try InputLineReader(path: path)
    } catch {
      throw RuntimeError(
        exitCode: error.isMissing ? .inputMissing : .dataMalformed,
        message: "Cannot read the users in '\(path)': \(error.reason). Name a file with an id per "
          + "line, or - for standard input.")
    }
  }

  private func line(_ reader: InputLineReader, _ name: String) throws -> String? {
    do {
      return try reader.next()
    } catch {
      throw RuntimeError(
        exitCode: .dataMalformed,
        message:
          "Cannot read line \(error.line) of the users in \(name): \(error.reason). Give one "
          + "id per line.")
    }
  }

  func warn() {
    if let unknown {
      let count = unknown.count == 1 ? "1 line is" : "\(unknown.count) lines are"
      StandardError.write(
        "warning: \(count) left out for want of such a user, first \(unknown.first)")
    }
    for warning in cold.warnings { StandardError.write("warning: \(warning)") }
  }
}
