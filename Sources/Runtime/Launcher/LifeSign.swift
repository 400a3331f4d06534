import Dispatch

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A process's side of a ``Lifeline``: how it tells the launcher that started it that it does not
/// hang. What gives the signs must be what would stand still: the network thread, and not a clock
/// of its own.
public struct LifeSign: Sendable {
  /// Names the inherited end of the pipe in the environment.
  static let variable = "MRDIB_LIFELINE"

  /// Negative where nobody watches.
  private let descriptor: Int32

  /// To the launcher that started this process, if one did.
  public static let inherited = LifeSign(
    descriptor: getenv(variable).flatMap { Int32(String(cString: $0)) } ?? -1)

  /// - Parameter descriptor: anything but the end of a pipe counts as nobody.
  init(descriptor: Int32) {
    var status = stat()
    let isPipe =
      descriptor > STDERR_FILENO && fstat(descriptor, &status) == 0
      && status.st_mode & S_IFMT == S_IFIFO
    self.descriptor = isPipe ? descriptor : -1
  }

  /// Says that the process lives. Never waits.
  public func give() {
    guard descriptor >= 0 else { return }
    var byte: UInt8 = 1
    // A full pipe says as much; without a launcher the kernel ends this process anyway.
    _ = write(descriptor, &byte, 1)
  }

  /// Gives signs while the network thread is not there yet: loading data takes as long as it takes.
  public func giveWhile<Result>(_ work: () throws -> Result) rethrows -> Result {
    guard descriptor >= 0 else { return try work() }
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "mrdib.life"))
    timer.schedule(deadline: .now(), repeating: .milliseconds(250))
    timer.setEventHandler { give() }
    timer.resume()
    defer { timer.cancel() }
    return try work()
  }
}
