package import Settings
package import Tables

/// An update rule that servers apply row by row.
///
/// A type in a file of its own and a line in ``OptimizerRegistry`` make an optimizer: settings,
/// servers and checkpoints take everything from here. Formulas belong into a C kernel, so that all
/// processors come to the same bits.
package protocol RowOptimizer: Sendable {
  /// What an update needs to know of its step: the learning rate, and what follows from it.
  associatedtype Step: Sendable
  /// Its own settings, beside the learning rates that all optimizers have. Their names begin with
  /// the optimizer's.
  associatedtype Settings: SettingGroup = NoSettings

  /// The name in settings and checkpoints.
  static var name: String { get }

  init(_ values: SettingValues<Settings>)

  /// Checks that every number is one that the formula is defined for.
  ///
  /// - Throws: ``ParameterServerError`` with code `configuration` that names the number.
  func validate() throws(ParameterServerError)

  /// What a row has beside its weights; zeros before the first update.
  var states: [RowState] { get }
  /// What a step does to the rows that its gradient does not reach.
  var untouchedRows: UntouchedRows { get }

  /// The step of a number (from 1) at a learning rate.
  func step(_ number: Int, rate: Double) -> Step

  /// Updates a row.
  ///
  /// - Parameters:
  ///   - row: weights, then states.
  ///   - gradient: `[width]`, at any address.
  ///   - width: of the weights.
  func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at step: Step)

  /// Does to a row what steps with a gradient of zero do, bit for bit. Needed unless untouched
  /// rows stay as they are.
  func replay(_ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>)

  // The loops over rows have one implementation each, in `RowOptimizer+Rows.swift`. They are
  // requirements because the compiler then makes a version of the loop for every optimizer.

  /// Applies the last of `steps` to a table; returns how many rows a gradient reached.
  func apply(_ steps: [Step], to table: inout TableStore, gradients: [GradientSource]) -> Int
  /// Brings rows to the state that they would have with all of `steps` applied.
  func catchUp(_ rows: LocalRows, of table: inout TableStore, with steps: [Step])
}

/// What happens to the rows that a step's gradient does not reach.
package enum UntouchedRows: Sendable, Equatable {
  case stay
  /// All rows are updated at every step.
  case moveAtOnce
  /// A row makes up for the steps that it missed when it is next read or updated.
  case moveWhenUsed
}

extension RowOptimizer {
  package func validate() throws(ParameterServerError) {}
  package var untouchedRows: UntouchedRows { .stay }
  package func replay(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>
  ) {}

  /// What checkpoints say of the optimizer.
  package var description: OptimizerDescription {
    OptimizerDescription(
      name: Self.name, states: states, tracksUpdates: untouchedRows == .moveWhenUsed)
  }

  /// A row without a gradient must stay as it is, and 0 / 0 would not let it.
  func validate(epsilon: Double) throws(ParameterServerError) {
    guard Float(epsilon).isNormal && epsilon > 0 else {
      throw ParameterServerError(
        .configuration,
        "The optimizer's epsilon is \(epsilon); choose a positive number such as 1e-8.")
    }
  }
}

/// An optimizer as checkpoints know it: what lies beside the weights of each row, by name.
public struct OptimizerDescription: Sendable, Equatable, Codable {
  /// As in the settings.
  public let name: String
  public let states: [RowState]
  /// Whether each row carries the number of its last update.
  public let tracksUpdates: Bool

  package init(name: String, states: [RowState], tracksUpdates: Bool) {
    self.name = name
    self.states = states
    self.tracksUpdates = tracksUpdates
  }

  /// How the rows of a table lie in memory.
  package func layout(width: Int, rule: UpdateRule) -> RowLayout {
    switch rule {
    case .optimizer: RowLayout(width: width, states: states, tracksUpdates: tracksUpdates)
    // Whether there was an update: the first one replaces the row.
    case .movingAverage: RowLayout(width: width, tracksUpdates: true)
    case .assigned: RowLayout(width: width)
    }
  }

  /// In a sentence: `adagrad (sum)`.
  package var summary: String {
    let parts = states.map(\.name) + (tracksUpdates ? ["the number of the last update"] : [])
    return "\(name) (\(parts.isEmpty ? "no state" : parts.joined(separator: ", ")))"
  }

  enum CodingKeys: String, CodingKey {
    case name, states
    case tracksUpdates = "tracks_updates"
  }
}
