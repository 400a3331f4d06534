/// A process to start.
public struct ChildSpecification: Sendable, Equatable {
  /// Such as `worker-0`; names its log file `logs/NAME.log`.
  public var name: String
  /// Such as `worker`: children of one role can do each other's work.
  public var role: String
  /// Path of the program.
  public var executable: String
  /// Without the program's own name.
  public var arguments: [String]
  /// In place of ``arguments`` when it is started again; nil means the same.
  public var restartArguments: [String]?
  /// Added to the launcher's environment, replacing what is there under the same names.
  public var environment: [String: String]
  /// Signals of a person go to the leader only, if there is one: the coordinator ends the run and
  /// tells the others, while nodes that left on their own would look like lost ones.
  public var isLeader: Bool
  /// Whether the child writes to the launcher's own stderr, for the person who watches, instead of
  /// a log file.
  public var writesToStandardError: Bool
  /// How much higher its nice value is than the launcher's: the system lets others go first.
  public var nice: Int32

  /// - Parameter role: default is the name: nobody else can do its work.
  public init(
    name: String, role: String? = nil, executable: String = LocalLauncher.ownExecutable,
    arguments: [String], restartArguments: [String]? = nil, environment: [String: String] = [:],
    isLeader: Bool = false, writesToStandardError: Bool = false, nice: Int32 = 0
  ) {
    self.name = name
    self.role = role ?? name
    self.executable = executable
    self.arguments = arguments
    self.restartArguments = restartArguments
    self.environment = environment
    self.isLeader = isLeader
    self.writesToStandardError = writesToStandardError
    self.nice = nice
  }

  /// How it is started again.
  var forRestart: ChildSpecification {
    var again = self
    again.arguments = restartArguments ?? arguments
    return again
  }
}
