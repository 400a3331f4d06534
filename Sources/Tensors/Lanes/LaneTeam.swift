internal import CKernels
internal import Glibc
internal import Synchronization

/// The kept threads of ``Lanes``, and the job that they have.
///
/// A job is open while the caller works on it. Threads enter an open job and take blocks from a
/// counter. When no block is left the caller closes the job and waits for the threads that are
/// inside; one that wakes up later finds it closed and waits for the next. So a caller never waits
/// for a thread that has not begun.
///
/// Waiting means a few microseconds of spinning, because a step is many short jobs in a row, and
/// then sleeping.
///
/// `Sendable` is unchecked because of `job`, which only the caller writes, while no thread is
/// inside.
final class LaneTeam: @unchecked Sendable {
  typealias Body = (_ block: Int, _ lane: Int) -> Void

  private struct Job {
    var body: UnsafePointer<Body>?
    var blockCount = 0
  }

  /// Rounds of spinning before a thread sleeps: some tens of microseconds.
  private static let spinLimit = 1 << 11

  let threadCount: Int
  private var job = Job()
  /// Whether a caller has the threads.
  private let isTaken = Atomic<Bool>(false)
  private let isOpen = Atomic<Bool>(false)
  /// The next block that no thread has taken.
  private let next = Atomic<Int>(0)
  /// How many threads may be working on the job.
  private let inside = Atomic<Int>(0)
  /// How many jobs there have been.
  private let published = Atomic<Int>(0)
  private let isStopped = Atomic<Bool>(false)
  private let sleeping = Atomic<Int>(0)
  private let isCallerAsleep = Atomic<Bool>(false)
  private let wake = WakeUp()
  private let threads = Mutex<[pthread_t]>([])

  init(threadCount: Int) { self.threadCount = threadCount }

  var jobCount: Int { published.load(ordering: .relaxed) }

  /// Computes all blocks on the caller, lane 0, and the threads. Returns false, without having
  /// computed anything, if the threads have a job already.
  func run(_ blockCount: Int, _ body: Body) -> Bool {
    guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
    if published.load(ordering: .relaxed) == 0 { startThreads() }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        job = Job(body: pointer, blockCount: blockCount)
        next.store(0, ordering: .relaxed)
        isOpen.store(true, ordering: .sequentiallyConsistent)
        published.wrappingAdd(1, ordering: .sequentiallyConsistent)
        let asleep = sleeping.load(ordering: .sequentiallyConsistent)
        if asleep > 0 { wake.threads(min(blockCount - 1, asleep)) }
        Self.takeBlocks(of: job, from: next, lane: 0)
        isOpen.store(false, ordering: .sequentiallyConsistent)
        waitUntilAllLeft()
      }
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  /// Ends the threads and waits for them. No job may be running.
  func stop() {
    isStopped.store(true, ordering: .sequentiallyConsistent)
    published.wrappingAdd(1, ordering: .sequentiallyConsistent)
    wake.threads(threadCount)
    for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
  }

  // Not inlined, so that no reference to the body outlives the call, after which the caller frees
  // it.
  @inline(never)
  private static func takeBlocks(of job: Job, from next: borrowing Atomic<Int>, lane: Int) {
    guard let body = job.body else { return }
    while true {
      let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard block < job.blockCount else { return }
      body.pointee(block, lane)
    }
  }

  private func waitUntilAllLeft() {
    for _ in 0..<Self.spinLimit {
      if inside.load(ordering: .acquiring) == 0 { return }
      mrdib_spin_pause()
    }
    isCallerAsleep.store(true, ordering: .sequentiallyConsistent)
    wake.waitForThreads { inside.load(ordering: .sequentiallyConsistent) == 0 }
    isCallerAsleep.store(false, ordering: .relaxed)
  }

  // MARK: Threads

  private final class Argument {
    let team: LaneTeam
    let lane: Int

    init(team: LaneTeam, lane: Int) { (self.team, self.lane) = (team, lane) }
  }

  /// Starts the threads. With fewer than wanted, the others do the work.
  private func startThreads() {
    for lane in 1...threadCount {
      let argument = Unmanaged.passRetained(Argument(team: self, lane: lane))
      var thread = pthread_t()
      let result = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          let argument = Unmanaged<Argument>.fromOpaque(context).takeRetainedValue()
          LaneTeam.blockSignals()
          argument.team.work(argument.lane)
          return nil
        }, argument.toOpaque())
      guard result == 0 else { return argument.release() }
      threads.withLock { [thread] in $0.append(thread) }
    }
  }

  /// Signals are for the main thread, but an access to a mapped file that was cut short must still
  /// reach its handler.
  private static func blockSignals() {
    var signals = sigset_t()
    sigfillset(&signals)
    sigdelset(&signals, SIGBUS)
    sigdelset(&signals, SIGSEGV)
    sigdelset(&signals, SIGILL)
    sigdelset(&signals, SIGFPE)
    sigdelset(&signals, SIGTRAP)
    pthread_sigmask(SIG_SETMASK, &signals, nil)
  }

  private func work(_ lane: Int) {
    var seen = 0
    while true {
      waitForJob(after: seen)
      if isStopped.load(ordering: .sequentiallyConsistent) { return }
      seen = published.load(ordering: .sequentiallyConsistent)
      inside.wrappingAdd(1, ordering: .sequentiallyConsistent)
      // Entered first: either the caller sees that this thread is inside, or the job is closed.
      if isOpen.load(ordering: .sequentiallyConsistent) {
        Self.takeBlocks(of: job, from: next, lane: lane)
      }
      inside.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      if isCallerAsleep.load(ordering: .sequentiallyConsistent) { wake.caller() }
    }
  }

  private func waitForJob(after seen: Int) {
    for _ in 0..<Self.spinLimit {
      if published.load(ordering: .acquiring) != seen { return }
      mrdib_spin_pause()
    }
    sleeping.wrappingAdd(1, ordering: .sequentiallyConsistent)
    wake.waitForJob { published.load(ordering: .sequentiallyConsistent) != seen }
    sleeping.wrappingSubtract(1, ordering: .sequentiallyConsistent)
  }
}

/// The lock and the conditions that threads sleep on.
private final class WakeUp: @unchecked Sendable {  // POSIX locks and conditions are for any thread
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasJob = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let hasLeft = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(hasJob, nil)
    pthread_cond_init(hasLeft, nil)
  }

  deinit {
    pthread_cond_destroy(hasJob)
    pthread_cond_destroy(hasLeft)
    pthread_mutex_destroy(lock)
    lock.deallocate()
    hasJob.deallocate()
    hasLeft.deallocate()
  }

  func threads(_ count: Int) {
    pthread_mutex_lock(lock)
    for _ in 0..<count { pthread_cond_signal(hasJob) }
    pthread_mutex_unlock(lock)
  }

  func caller() {
    pthread_mutex_lock(lock)
    pthread_cond_signal(hasLeft)
    pthread_mutex_unlock(lock)
  }

  func waitForJob(until isThere: () -> Bool) { wait(hasJob, until: isThere) }

  func waitForThreads(until haveLeft: () -> Bool) { wait(hasLeft, until: haveLeft) }

  private func wait(_ condition: UnsafeMutablePointer<pthread_cond_t>, until isTrue: () -> Bool) {
    pthread_mutex_lock(lock)
    while !isTrue() { pthread_cond_wait(condition, lock) }
    pthread_mutex_unlock(lock)
  }
}
