/// What a fault, or the recovery from it, did to a history.
///
/// A fault that was planned need not have one: its victim may be gone already, or nothing may be
/// under way that it could disturb.
public enum Effect: String, Sendable, CaseIterable {
  case lostMessage = "a message is lost"
  case repeatedControlMessage = "a control message comes twice"
  case repeatedDataMessage = "a data message comes twice"
  case overtakenControlMessage = "a control message is overtaken by a later one"
  case overtakenDataMessage = "a data message is overtaken by a later one"
  case staleRows = "a worker gets rows of an earlier version"
  case partition = "a message is lost to a partition"
  case steppedDown = "a worker gives its shards up because it cannot reach a server"
  case killedCoordinator = "the coordinator is killed"
  case killedServer = "a server is killed"
  case killedWorker = "a worker is killed"
  case killedWithinEvent = "a process is killed in the midst of its actions"
  case stoppedCoordinator = "the coordinator is stopped and goes on"
  case stoppedServer = "a server is stopped and goes on"
  case stoppedWorker = "a worker is stopped and goes on"
  case twoCoordinators = "two coordinators live at a time"
  case twoServers = "two servers live in one's place"
  case twoWorkers = "two workers live in one's place"
  case superseded = "a coordinator finds that another has taken over"
  case departure = "a worker leaves politely"
  case powerLoss = "all processes are killed at once"
  case pause = "the run is stopped and continued"
  case rescaled = "the run goes on with other numbers of processes"
  case passedOver = "a damaged checkpoint is passed over"
  case fullDisk = "a checkpoint does not fit the disk"
  case restored = "the tables go back to a checkpoint"
  case begunAnew = "the tables go back to their beginning"
  case adopted = "a new coordinator takes the servers as they are"
}
