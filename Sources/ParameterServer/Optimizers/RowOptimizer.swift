import Settings
import Tables

/// An update rule that servers apply row by row.
///
/// To add an optimizer, write a type in its own file and a line in ``OptimizerRegistry``: settings,
/// servers and checkpoints use only this protocol. Formulas belong in a C kernel, so that all
/// processors compute the same bits.
package protocol RowOptimizer: Sendable {
  /// The numbers of a step that an update needs: the learning rate and values derived from it.
  associatedtype Step: Sendable
  /// Its own settings, without the learning rates that all optimizers have. Their names begin with
  /// the optimizer's.
  associatedtype Settings: SettingGroup = NoSettings

  /// The name in settings and checkpoints.
  static var name: String { get }

  init(_ values: SettingValues<Settings>)

  /// Checks that every number is in the range for which the formula is defined.
  ///
  /// - Throws: ``ParameterServerError`` with code `configuration` that names the number.
  func validate() throws(ParameterServerError)

  /// The optimizer states of a row; zeros before the first update.
  var states: [RowState] { get }
  /// How a step treats rows without a gradient.
  var untouchedRows: UntouchedRows { get }

  /// The step with a number (from 1) and a learning rate.
  func step(_ number: Int, rate: Double) -> Step

  /// Updates a row.
  ///
  /// - Parameters:
  ///   - row: weights, then states.
  ///   - gradient: `[width]`, not necessarily aligned.
  ///   - width: the number of weights.
  func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at step: Step)

  /// Applies steps with a gradient of zero to a row, bit for bit. Required unless `untouchedRows`
  /// is `stay`.
  func replay(_ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>)

  // The loops over rows are implemented once, in `RowOptimizer+Rows.swift`. They are requirements
  // of the protocol so that the compiler specializes them for every optimizer.

  /// Applies the last of `steps` to a table; returns how many rows a gradient reached.
  func apply(_ steps: [Step], to table: inout TableStore, gradients: [GradientSource]) -> Int
  /// Brings rows to the state that they would have with all of `steps` applied.
  func catchUp(_ rows: LocalRows, of table: inout TableStore, with steps: [Step])
}

/// How a step treats rows without a gradient.
package enum UntouchedRows: Sendable, Equatable {
  /// They do not change.
  case stay
  /// They are updated at every step.
  case moveAtOnce
  /// Their missed steps are replayed when they are next read or updated.
  case moveWhenUsed
}

extension RowOptimizer {
  package func validate() throws(ParameterServerError) {}
  package var untouchedRows: UntouchedRows { .stay }
  package func replay(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>
  ) {}

  /// The optimizer's name and states, as checkpoints record them.
  package var description: OptimizerDescription {
    OptimizerDescription(
      name: Self.name, states: states, tracksUpdates: untouchedRows == .moveWhenUsed)
  }

  /// With a zero epsilon, a row whose gradients are zero would become NaN by 0 / 0.
  func validate(epsilon: Double) throws(ParameterServerError) {
    guard Float(epsilon).isNormal && epsilon > 0 else {
      throw ParameterServerError(
        .configuration,
        "The optimizer's epsilon is \(epsilon); choose a positive number such as 1e-8.")
    }
  }
}

/// An optimizer as checkpoints record it: its name and the states of each row by name.
package struct OptimizerDescription: Sendable, Equatable, Codable {
  /// The name in the settings.
  package let name: String
  package let states: [RowState]
  /// Whether each row carries the number of its last update.
  package let tracksUpdates: Bool

  package init(name: String, states: [RowState], tracksUpdates: Bool) {
    self.name = name
    self.states = states
    self.tracksUpdates = tracksUpdates
  }

  /// The memory layout of a table's rows.
  package func layout(width: Int, rule: UpdateRule) -> RowLayout {
    switch rule {
    case .optimizer: RowLayout(width: width, states: states, tracksUpdates: tracksUpdates)
    // Tracked to know whether there was an update: the first one replaces the row.
    case .movingAverage: RowLayout(width: width, tracksUpdates: true)
    case .assigned: RowLayout(width: width)
    }
  }

  /// For messages: `adagrad (sum)`.
  package var summary: String {
    let parts = states.map(\.name) + (tracksUpdates ? ["the number of the last update"] : [])
    return "\(name) (\(parts.isEmpty ? "no state" : parts.joined(separator: ", ")))"
  }

  enum CodingKeys: String, CodingKey {
    case name, states
    case tracksUpdates = "tracks_updates"
  }
}
