import Synchronization
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// When a request that failed is sent again: after pauses that double up to a bound, each shortened
/// at random by up to a half, so that the servers of a run do not all return at the same moment.
package struct RetrySchedule {
  /// Seconds from the first attempt during which the request is repeated.
  package let patience: Double
  /// Names the request among all; with the number of the attempt it names the random number.
  private let key: SIMD2<UInt32>

  private static let shortest = 0.2
  private static let longest = 8.0
  private static let requests = Atomic<UInt32>(0)

  init(patience: Double) {
    self.init(
      patience: patience,
      key: SIMD2(
        UInt32(bitPattern: getpid()), Self.requests.add(1, ordering: .relaxed).newValue))
  }

  package init(patience: Double, key: SIMD2<UInt32>) {
    self.patience = patience
    self.key = key
  }

  /// The pause after an attempt, in seconds.
  ///
  /// - Parameter attempt: from 1.
  package func pause(after attempt: Int) -> Double {
    let full = min(Self.longest, Self.shortest * Double(1 << min(attempt - 1, 16)))
    let word = Philox.bits(counter: SIMD4(UInt32(clamping: attempt), 0, 0, 0), key: key).x
    return full * (1 - Double(word >> 8) * 0x1p-25)
  }

  /// Repeats `attempt` while it throws `unavailable` and there is time left. Blocks in between.
  ///
  /// - Throws: ``S3Error`` of the last attempt, with how long was tried.
  func run<Result>(
    _ attempt: (_ number: Int) throws(S3Error) -> Result
  ) throws(S3Error) -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    var number = 1
    while true {
      do throws(S3Error) {
        return try attempt(number)
      } catch {
        let pause = pause(after: number)
        let elapsed = (clock.now - start) / .seconds(1)
        guard error.kind == .unavailable, elapsed + pause <= patience, !TransferCount.isEnding
        else {
          guard error.kind == .unavailable, number > 1 else { throw error }
          throw S3Error(
            error.kind, "\(error.reason) (tried \(number) times in \(Int(elapsed)) s)",
            code: error.code)
        }
        usleep(useconds_t(pause * 1e6))
        number += 1
      }
    }
  }
}
