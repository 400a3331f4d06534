import ParameterServer
import Protocol
import Testing

@Suite struct CheckpointScheduleTests {
  private func duty(interval: UInt64) -> CheckpointSchedule {
    var duty = CheckpointSchedule()
    duty.plan = CheckpointPlan(folder: "/checkpoints", interval: interval)
    return duty
  }

  /// Reaches a version and expects it to be written, or not.
  private func expect(
    _ isWritten: Bool, at version: UInt64, _ duty: inout CheckpointSchedule,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let decision = duty.reached(version)
    #expect(decision == isWritten, sourceLocation: sourceLocation)
  }

  /// Requests a version and expects its existing file, if any.
  private func expect(
    _ file: CheckpointShard?, requesting version: UInt64, _ duty: inout CheckpointSchedule,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = duty.request(version)
    #expect(found == file, sourceLocation: sourceLocation)
  }

  private func shard(_ version: UInt64) -> CheckpointShard {
    CheckpointShard(
      generation: 1, version: version, rank: 0, file: "f", byteCount: 1, digest: "d")
  }

  @Test("versions that are multiples of the interval are due, each once, and never version 0")
  func schedule() {
    var duty = duty(interval: 3)
    var due: [UInt64] = []
    for version: UInt64 in [0, 1, 2, 3, 3, 4, 5, 6] where duty.reached(version) {
      due.append(version)
      duty.written(shard(version))
    }
    #expect(due == [3, 6])
  }

  @Test("without a plan nothing is due, but requested versions are written")
  func wanted() {
    var duty = CheckpointSchedule()
    expect(false, at: 4, &duty)
    expect(nil, requesting: 5, &duty)
    expect(false, at: 4, &duty)
    expect(true, at: 5, &duty)
    expect(false, at: 5, &duty)
  }

  @Test("a due version is skipped while another is written; a requested one waits")
  func oneAtATime() {
    var duty = duty(interval: 2)
    expect(true, at: 2, &duty)
    expect(false, at: 4, &duty)
    expect(nil, requesting: 4, &duty)
    expect(false, at: 4, &duty)
    duty.written(shard(2))
    expect(true, at: 4, &duty)
    duty.written(shard(4))
    expect(false, at: 4, &duty)
  }

  @Test("a requested version that is written or being written is not written again")
  func notTwice() {
    var duty = duty(interval: 2)
    expect(true, at: 2, &duty)
    expect(nil, requesting: 2, &duty)
    expect(false, at: 2, &duty)
    duty.written(shard(2))
    expect(false, at: 2, &duty)
    expect(shard(2), requesting: 2, &duty)
    duty.acknowledge(2)
    expect(shard(2), requesting: 2, &duty)
    expect(false, at: 2, &duty)
  }

  @Test("a requested version is retried after a failure")
  func again() {
    var duty = CheckpointSchedule()
    expect(nil, requesting: 5, &duty)
    expect(true, at: 5, &duty)
    duty.failed()
    expect(nil, requesting: 5, &duty)
    expect(true, at: 5, &duty)
  }

  @Test("the first version of a generation is not written, and blocks nothing")
  func begin() {
    var duty = duty(interval: 2)
    duty.begin(at: 2)
    expect(false, at: 2, &duty)
    expect(false, at: 3, &duty)
    expect(true, at: 4, &duty)
    expect(nil, requesting: 6, &duty)
    duty.begin(at: 2)
    duty.failed()
    expect(false, at: 5, &duty)
  }

  /// Completes a version every second, on a disk that needs `seconds` per version.
  private func versions(
    _ duty: inout CheckpointSchedule, from first: UInt64 = 1, to last: UInt64, seconds: Double
  ) -> [UInt64] {
    var taken: [UInt64] = []
    var doneAt: Double?
    for version in first...last {
      if let done = doneAt, done <= Double(version), let writing = taken.last {
        duty.written(shard(writing))
        doneAt = nil
      }
      guard duty.reached(version) else { continue }
      taken.append(version)
      doneAt = Double(version) + seconds
    }
    if let writing = taken.last, doneAt != nil { duty.written(shard(writing)) }
    return taken
  }

  @Test(
    "servers with disks of any speed have the versions of the slowest one in common",
    arguments: [1.5, 3.5, 5.25, 8.5, 20.75])
  func slowDisk(seconds: Double) {
    var fast = duty(interval: 1)
    var slow = duty(interval: 1)
    var other = duty(interval: 1)
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
    var duty = duty(interval: 1)
    _ = versions(&duty, to: 100, seconds: 200)
    let after = versions(&duty, from: 101, to: 110, seconds: 0.5)
    #expect(after == [102, 103, 104, 105, 106, 107, 108, 109, 110])
  }

  @Test("a requested version is written, however slow the disk")
  func requestedOnSlowDisk() {
    var duty = duty(interval: 1)
    _ = versions(&duty, to: 200, seconds: 7.5)
    expect(nil, requesting: 203, &duty)
    expect(false, at: 201, &duty)
    expect(false, at: 202, &duty)
    expect(true, at: 203, &duty)
  }

  @Test("a file is reported until the coordinator acknowledges it or a newer one")
  func acknowledged() {
    var duty = duty(interval: 1)
    _ = duty.reached(1)
    duty.written(shard(1))
    #expect(duty.unacknowledged?.version == 1)
    duty.acknowledge(0)
    #expect(duty.unacknowledged?.version == 1)
    duty.acknowledge(1)
    #expect(duty.unacknowledged == nil)
  }
}
