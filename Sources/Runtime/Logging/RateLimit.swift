/// Lets the first lines of every window of time through and counts the others, as a value.
public struct RateLimit: Sendable {
  /// Lines per window.
  public let lines: Int
  /// Seconds.
  public let window: Double
  /// Lines that were held back since the last one that was let through.
  public private(set) var heldBack = 0
  private var windowStart = -Double.infinity
  private var linesInWindow = 0

  public init(lines: Int = 5, window: Double = 60) {
    self.lines = lines
    self.window = window
  }

  /// - Returns: whether a line may be written now; how many were held back before it.
  public mutating func admit(at now: Double) -> (isAdmitted: Bool, heldBack: Int) {
    if now - windowStart >= window {
      windowStart = now
      linesInWindow = 0
    }
    guard linesInWindow < lines else {
      heldBack += 1
      return (false, heldBack)
    }
    linesInWindow += 1
    defer { heldBack = 0 }
    return (true, heldBack)
  }
}
