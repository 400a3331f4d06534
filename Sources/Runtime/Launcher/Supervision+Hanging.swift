/// How a run gets rid of children that hang.
extension Supervision {
  /// Kills whom nothing was heard of for too long. When the run is about to end, deadlines do that.
  mutating func handleSilence(over step: Double) -> [Action] {
    guard limits.hang > 0, stage == .running else { return [] }
    return children.indices.compactMap { index in
      guard isLiving(index), children[index].silence.grow(by: step) >= limits.hang else {
        return nil
      }
      // One that even a kill does not end at once, because it waits for a disk, has time again.
      let silence = children[index].silence.duration
      children[index].silence.end()
      return .killHung(index: index, silence: silence)
    }
  }
}

/// How long nothing was heard of a child, as a value.
struct Silence: Sendable, Equatable {
  /// The most that counts between two looks, seconds. More has passed when nobody looked: because
  /// the launcher was stopped, or everything was, the child included.
  static let longestStep = 2.0

  /// Seconds. A child that never gave a sign is none of those that do, or has only just started.
  private(set) var duration = 0.0
  private var isWatched = false
  private var wasHeard = false

  /// There was a sign.
  mutating func end() {
    isWatched = true
    wasHeard = true
  }

  /// Time went by. Returns the duration of the silence now.
  mutating func grow(by step: Double) -> Double {
    duration = wasHeard || !isWatched ? 0 : duration + min(max(0, step), Self.longestStep)
    wasHeard = false
    return duration
  }
}
