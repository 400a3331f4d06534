import Configuration
import Datasets
import Experiments
import Foundation
import Recommenders
import Runtime
import Settings
import Synchronization
import TestSupport

/// A generated data set of a few users, on which an epoch takes milliseconds.
struct TinySweep {
  let folder: TemporaryFolder
  let data: String
  let sweep: SweepFolder

  static let settings = """
    model: vbpr
    epochs: 2
    embedding_size: 8
    train_batch_size: 256
    topk: [5, 20]
    shards: 1

    """

  /// - Parameter data: the folder of an earlier one's data, in place of new data.
  init(data: String? = nil) throws {
    folder = try TemporaryFolder()
    sweep = try SweepFolder.create(at: "\(folder.path)/sweep", forgetting: false)
    self.data = data ?? "\(folder.path)/data"
    guard data == nil else { return }
    var configuration = SyntheticConfiguration()
    configuration.users = 60
    configuration.items = 50
    configuration.interactionsPerUser = 12
    try SyntheticData.generate(configuration, to: self.data)
  }

  func points(_ grid: String) throws -> [SweepPoint] {
    SweepPoint.all(of: try self.grid(grid))
  }

  func grid(_ grid: String) throws -> ConfigurationGrid {
    try ConfigurationGrid(requested: [
      ConfigurationLayer(yaml: Self.settings + grid, label: "grid.yaml")
    ])
  }

  func runner(
    _ execution: any RunExecution = SingleProcessExecution(), expectedRuns: Int? = 4,
    jobs: Int = 1, resumesRuns: Bool = false, signals: any StopSignals = NoSignals(),
    lines: Lines = Lines()
  ) throws -> SweepRunner {
    try SweepRunner(
      request: RunRequest(data: data), folder: sweep, execution: execution,
      expectedRuns: expectedRuns, jobs: jobs, resumesRuns: resumesRuns, signals: signals
    ) { lines.append($0) }
  }
}

/// No request to stop.
struct NoSignals: StopSignals {
  func next() -> Int32? { nil }
}

/// A signal that is delivered once, after it was raised.
final class ManualSignal: StopSignals {
  private let signal = Mutex<Int32?>(nil)

  func raise(_ number: Int32) { signal.withLock { $0 = number } }

  func next() -> Int32? {
    signal.withLock { signal in
      defer { signal = nil }
      return signal
    }
  }
}

/// Lines from any thread.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])

  func append(_ line: String) { lines.withLock { $0.append(line) } }

  var all: [String] { lines.withLock { $0 } }
}

/// Trains runs and records them. Coordinates are not visible here, the settings
/// can.
final class WatchedExecution: RunExecution {
  private let seen = Mutex<[String]>([])
  private let before: @Sendable (RunInput, _ index: Int) throws -> RoleOutcome?

  /// - Parameter before: an outcome in place of the run's, or nil to train.
  init(
    before: @escaping @Sendable (RunInput, _ index: Int) throws -> RoleOutcome? = { _, _ in nil }
  ) {
    self.before = before
  }

  var layers: [ConfigurationLayer] {
    get throws { try SingleProcessExecution().layers }
  }

  /// The runs that were begun, as `seed/λ`.
  var runs: [String] { seen.withLock { $0 } }

  func run(
    _ input: RunInput, in directory: RunDirectory, pausingAfter pause: Int?,
    signals: any StopSignals
  ) throws -> RoleOutcome {
    let configuration = input.configuration
    let index = seen.withLock { seen in
      seen.append(
        "\(configuration.training.seed)/\(configuration.values[CommonSettings.regularization])")
      return seen.count - 1
    }
    if let outcome = try before(input, index) { return outcome }
    return try SingleProcessExecution().run(
      input, in: directory, pausingAfter: pause, signals: signals)
  }
}
