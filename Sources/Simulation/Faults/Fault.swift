/// Something that goes wrong at a moment.
package enum Fault: Sendable, Hashable {
  /// `kill -9`, at once.
  case kill(Slot)
  /// `kill -9` after the process has performed this many of the actions of its next event.
  case killWithinEvent(Slot, actions: Int)
  /// SIGSTOP, and SIGCONT after so many seconds.
  case stop(Slot, seconds: Double)
  /// The process is stopped, another is started in its place, and then the first goes on.
  case replaceStopped(Slot, seconds: Double)
  /// `kill -9`; by the clock of the replacement's machine it is started before the one that died.
  case setBackClock(Slot)
  /// SIGTERM.
  case terminate(Slot)
  /// Nothing that the slot sends arrives, or nothing that is sent to it, or neither.
  case cutOff(Slot, sending: Bool, receiving: Bool, seconds: Double)
  /// Nothing that one of two slots sends arrives at the other, or neither way; all else is as it
  /// should be.
  case part(Slot, from: Slot, bothWays: Bool, seconds: Double)
  /// A server loses the connections of a worker, with all requests that wait on them. The worker is
  /// not notified: its next requests are refused until it greets the server again.
  case forget(Slot, at: Slot)
  /// Every process is killed; the same command, perhaps with other numbers of processes, goes on.
  case powerLoss(ClusterShape)
  /// The run is asked to stop, and goes on later, perhaps with other numbers of processes.
  case pause(ClusterShape)
  /// A file of the newest checkpoint is damaged.
  case damageCheckpoint
  /// Writing checkpoints fails for a while.
  case fullDisk(seconds: Double)
  /// Reading checkpoints fails for a while, whole ones as well.
  case unreadableDisk(seconds: Double)
}
