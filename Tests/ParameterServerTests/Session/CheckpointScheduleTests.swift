import ParameterServer
import Protocol
import Testing

@Suite struct CheckpointScheduleTests {
  private func schedule(interval: UInt64) -> CheckpointSchedule {
    var schedule = CheckpointSchedule()
    schedule.plan = CheckpointPlan(folder: "/checkpoints", interval: interval)
    return schedule
  }

  /// Reaches a version and expects it to be written, or not.
  private func expect(
    _ isWritten: Bool, at version: UInt64, _ schedule: inout CheckpointSchedule,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let decision = schedule.reached(version)
    #expect(decision == isWritten, sourceLocation: sourceLocation)
  }

  /// Requests a version and expects its existing file, if any.
  private func expect(
    _ file: CheckpointShard?, requesting version: UInt64, _ schedule: inout CheckpointSchedule,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = schedule.request(version)
    #expect(found == file, sourceLocation: sourceLocation)
  }

  private func shard(_ version: UInt64) -> CheckpointShard {
    CheckpointShard(
      generation: 1, version: version, rank: 0, file: "f", byteCount: 1, digest: "d")
  }

  @Test("versions that are multiples of the interval are due, each once, and never version 0")
  func schedule() {
    var schedule = schedule(interval: 3)
    var due: [UInt64] = []
    for version: UInt64 in [0, 1, 2, 3, 3, 4, 5, 6] where schedule.reached(version) {
      due.append(version)
      schedule.written(shard(version))
    }
    #expect(due == [3, 6])
  }

  @Test("without a plan nothing is due, but requested versions are written")
  func wanted() {
    var schedule = CheckpointSchedule()
    expect(false, at: 4, &schedule)
    expect(nil, requesting: 5, &schedule)
    expect(false, at: 4, &schedule)
    expect(true, at: 5, &schedule)
    expect(false, at: 5, &schedule)
  }

  @Test("a due version is skipped while another is written; a requested one waits")
  func oneAtATime() {
    var schedule = schedule(interval: 2)
    expect(true, at: 2, &schedule)
    expect(false, at: 4, &schedule)
    expect(nil, requesting: 4, &schedule)
    expect(false, at: 4, &schedule)
    schedule.written(shard(2))
    expect(true, at: 4, &schedule)
    schedule.written(shard(4))
    expect(false, at: 4, &schedule)
  }

  @Test("a requested version that is written or being written is not written again")
  func notTwice() {
    var schedule = schedule(interval: 2)
    expect(true, at: 2, &schedule)
    expect(nil, requesting: 2, &schedule)
    expect(false, at: 2, &schedule)
    schedule.written(shard(2))
    expect(false, at: 2, &schedule)
    expect(shard(2), requesting: 2, &schedule)
    schedule.acknowledge(2)
    expect(shard(2), requesting: 2, &schedule)
    expect(false, at: 2, &schedule)
  }

  @Test("a requested version is retried after a failure")
  func again() {
    var schedule = CheckpointSchedule()
    expect(nil, requesting: 5, &schedule)
    expect(true, at: 5, &schedule)
    schedule.failed()
    expect(nil, requesting: 5, &schedule)
    expect(true, at: 5, &schedule)
  }

  @Test("the first version of a generation is not written, and blocks nothing")
  func begin() {
    var schedule = schedule(interval: 2)
    schedule.begin(at: 2)
    expect(false, at: 2, &schedule)
    expect(false, at: 3, &schedule)
    expect(true, at: 4, &schedule)
    expect(nil, requesting: 6, &schedule)
    schedule.begin(at: 2)
    schedule.failed()
    expect(false, at: 5, &schedule)
  }

  /// Completes a version every second, on a disk that needs `seconds` per version.
  private func versions(
    _ schedule: inout CheckpointSchedule, from first: UInt64 = 1, to last: UInt64, seconds: Double
  ) -> [UInt64] {
    var taken: [UInt64] = []
    var doneAt: Double?
    for version in first...last {
      if let done = doneAt, done <= Double(version), let writing = taken.last {
        schedule.written(shard(writing))
        doneAt = nil
      }
      guard schedule.reached(version) else { continue }
      taken.append(version)
      doneAt = Double(version) + seconds
    }
    if let writing = taken.last, doneAt != nil { schedule.written(shard(writing)) }
    return taken
  }

  @Test(
    "servers with disks of any speed have the versions of the slowest one in common",
    arguments: [1.5, 3.5, 5.25, 8.5, 20.75])
  func slowDisk(seconds: Double) {
    var fast = schedule(interval: 1)
    var slow = schedule(interval: 1)
    var other = schedule(interval: 1)
    let all = versions(&fast, to: 400, seconds: 0.5)
    #expect(all == Array(1...400))
    let few = versions(&slow, to: 400, seconds: seconds)
    // After the first versions, in which the stride adapts, it is a constant power of two.
    let stride = UInt64(1) << UInt64((0...).first { Double(1 << $0) >= seconds } ?? 0)
    let late = few.filter { $0 > 100 }
    #expect(late == late.first.map { Array(Swift.stride(from: $0, through: 400, by: Int(stride))) })
    #expect(late.first.map { $0 % stride } == 0)
    let some = versions(&other, to: 400, seconds: seconds / 2)
    #expect(Set(late).isSubset(of: some.filter { $0 > 100 }))
  }

  @Test("a disk that stalls once is soon used as before")
  func stall() {
    var schedule = schedule(interval: 1)
    _ = versions(&schedule, to: 100, seconds: 200)
    let after = versions(&schedule, from: 101, to: 110, seconds: 0.5)
    #expect(after == [102, 103, 104, 105, 106, 107, 108, 109, 110])
  }

  @Test("a requested version is written, however slow the disk")
  func requestedOnSlowDisk() {
    var schedule = schedule(interval: 1)
    _ = versions(&schedule, to: 200, seconds: 7.5)
    expect(nil, requesting: 203, &schedule)
    expect(false, at: 201, &schedule)
    expect(false, at: 202, &schedule)
    expect(true, at: 203, &schedule)
  }

  @Test("a file is reported until the coordinator acknowledges it or a newer one")
  func acknowledged() {
    var schedule = schedule(interval: 1)
    _ = schedule.reached(1)
    schedule.written(shard(1))
    #expect(schedule.unacknowledged?.version == 1)
    schedule.acknowledge(0)
    #expect(schedule.unacknowledged?.version == 1)
    schedule.acknowledge(1)
    #expect(schedule.unacknowledged == nil)
  }
}
