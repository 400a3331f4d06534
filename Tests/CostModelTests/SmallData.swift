import CostModel
import Runtime

/// A run on small generated data, and the interactions that it is generated from.
struct SmallData {
  static let users = 1500
  static let items = 600
  static let counts = InteractionCounts(
    users: users, items: items, interactions: 12_000, popularity: .zipf(exponent: 0.8))
  static let modalities = [
    ModalitySize(name: "visual", columns: 24), ModalitySize(name: "text", columns: 16),
  ]

  let configuration: ProbeConfiguration
  let setup: RunSetup

  init(_ model: String, _ settings: [String]) throws {
    let request = RunRequest(
      data: nil,
      assignments: ["model=\(model)", "train_batch_size=256", "threads=1"] + settings)
    configuration = try ProbeConfiguration(request, modalities: Self.modalities)
    setup = try configuration.setup(users: Self.users, items: Self.items, like: Self.counts)
  }

  /// Without processor time.
  var calibration: Calibration {
    get throws {
      try Calibration(
        configuration, users: Self.users, items: Self.items, counts: Self.counts, effort: .brief)
    }
  }
}
