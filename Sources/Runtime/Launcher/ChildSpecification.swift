/// A process to start.
public struct ChildSpecification: Sendable, Equatable {
  /// Such as `worker-0`; names its log file `logs/NAME.log`.
  public var name: String
  /// Path of the program.
  public var executable: String
  /// Without the program's own name.
  public var arguments: [String]
  /// Added to the launcher's environment, replacing what is there under the same names.
  public var environment: [String: String]
  /// Signals of a person go to the leader only, if there is one: the coordinator ends the run and
  /// tells the others, while nodes that left on their own would look like lost ones.
  public var isLeader: Bool
  /// Whether the child writes to the launcher's own stderr, for the person who watches, instead of
  /// a log file.
  public var writesToStandardError: Bool

  public init(
    name: String, executable: String = LocalLauncher.ownExecutable, arguments: [String],
    environment: [String: String] = [:], isLeader: Bool = false,
    writesToStandardError: Bool = false
  ) {
    self.name = name
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.isLeader = isLeader
    self.writesToStandardError = writesToStandardError
  }
}
