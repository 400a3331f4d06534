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

  /// Appends a step to all steps before it.
  func append(_ step: Step, to steps: inout [Step])

  /// Updates a row.
  ///
  /// - Parameters:
  ///   - row: weights, then states, all in float32.
  ///   - gradient: `[width]`, not necessarily aligned.
  ///   - width: the number of weights.
  func update(
    _ row: UnsafeMutablePointer<Float>, gradient: UnsafeRawPointer, width: Int, at step: Step)

  /// Applies steps with a gradient of zero to a row, bit for bit. Required if `untouchedRows` is
  /// `moveAtOnce` or `moveWhenUsed`.
  func replay(_ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>)

  /// Applies steps with a gradient of zero to a row, all at once. Required if `untouchedRows` is
  /// `moveWhenUpdated`.
  ///
  /// - Parameters:
  ///   - steps: all steps of the parameter group.
  ///   - missed: those that the row has missed, to the last or to the last but one.
  func settle(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>,
    missed: Range<Int>)
  /// What ``settle(_:width:steps:missed:)`` does to the weights of a row, done to a copy of them,
  /// `[width]`.
  func addMissed(
    to weights: UnsafeMutablePointer<Float>, of row: UnsafePointer<Float>, width: Int,
    steps: UnsafeBufferPointer<Step>, missed: Range<Int>)

  // The loops over rows are implemented once, in `RowOptimizer+Rows.swift`. They are requirements
  // of the protocol so that the compiler specializes them for every optimizer.

  /// Applies the last of `steps` to a table; returns how many rows a gradient reached.
  ///
  /// - Parameter number: of that step, from 1.
  func apply(
    _ steps: [Step], number: Int, to table: inout TableStore, gradients: [GradientSource]
  ) -> Int
  /// Copies the weights of rows as they are with all of `steps` applied, `[rows.count, width]`.
  /// Rows may be brought to that state.
  func copy(
    _ rows: LocalRows, of table: inout TableStore, with steps: [Step],
    to destination: UnsafeMutablePointer<Float>)
}

/// How a step treats rows without a gradient.
package enum UntouchedRows: Sendable, Equatable {
  /// They do not change.
  case stay
  /// They are updated at every step.
  case moveAtOnce
  /// Their missed steps are replayed when they are next read or updated.
  case moveWhenUsed
  /// Their missed steps are applied all at once when they are next updated, and to the copy when
  /// they are read: the result may differ in rounding from one step after the other, so that a read
  /// must not change the row.
  case moveWhenUpdated

  /// Whether rows may have missed steps.
  package var isLate: Bool { self == .moveWhenUsed || self == .moveWhenUpdated }
}

extension RowOptimizer {
  package func validate() throws(ParameterServerError) {}
  package var untouchedRows: UntouchedRows { .stay }
  package func append(_ step: Step, to steps: inout [Step]) { steps.append(step) }
  package func replay(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>
  ) {}
  package func settle(
    _ row: UnsafeMutablePointer<Float>, width: Int, steps: UnsafeBufferPointer<Step>,
    missed: Range<Int>
  ) {}
  package func addMissed(
    to weights: UnsafeMutablePointer<Float>, of row: UnsafePointer<Float>, width: Int,
    steps: UnsafeBufferPointer<Step>, missed: Range<Int>
  ) {}

  /// The optimizer's name and states, as checkpoints record them.
  package var description: OptimizerDescription {
    OptimizerDescription(
      name: Self.name, states: states, tracksUpdates: untouchedRows.isLate)
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
    let parts =
      states.map { $0.precision == .float32 ? $0.name : "\($0.name) in \($0.precision.rawValue)" }
      + (tracksUpdates ? ["the number of the last update"] : [])
    return "\(name) (\(parts.isEmpty ? "no state" : parts.joined(separator: ", ")))"
  }

  enum CodingKeys: String, CodingKey {
    case name, states
    case tracksUpdates = "tracks_updates"
  }
}
