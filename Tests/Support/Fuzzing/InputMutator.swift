/// Makes inputs for a parser out of well-formed ones: a random sample with a few random changes.
///
/// An input is a list of parts: the frames of a message, the files of a folder; most have one.
public struct InputMutator: Sendable {
  /// A change that knows the format: a header's length, a field given twice.
  public typealias Change = @Sendable (inout [UInt8], inout SeededGenerator) -> Void

  /// Valid inputs, in as many shapes as possible. Not empty.
  public var samples: [[[UInt8]]]
  /// Words of the format, inserted anywhere.
  public var words: [[UInt8]]
  /// Changes that know the format; chosen as often as all general ones together.
  public var changes: [Change]
  /// Whether parts are also added and removed.
  public var variesParts: Bool
  /// The largest number of bytes of a part.
  public var largestPart: Int

  public init(
    samples: [[[UInt8]]], words: [String] = [], changes: [Change] = [], variesParts: Bool = false,
    largestPart: Int = 1 << 16
  ) {
    precondition(!samples.isEmpty && samples.allSatisfy { !$0.isEmpty }, "nothing to change")
    self.samples = samples
    self.words = words.map { Array($0.utf8) }
    self.changes = changes
    self.variesParts = variesParts
    self.largestPart = largestPart
  }

  /// Inputs of one part each, such as files.
  public init(
    files: [[UInt8]], words: [String] = [], changes: [Change] = [], largestPart: Int = 1 << 16
  ) {
    self.init(
      samples: files.map { [$0] }, words: words, changes: changes, largestPart: largestPart)
  }

  /// Inputs of text.
  public init(texts: [String], words: [String] = [], changes: [Change] = []) {
    self.init(files: texts.map { Array($0.utf8) }, words: words, changes: changes)
  }

  /// The next input; one in 64 is a sample as it is.
  public func input(using random: inout SeededGenerator) -> [[UInt8]] {
    var parts = random.element(of: samples)
    guard !random.oneIn(64) else { return parts }
    for _ in 0...random.below(4) {
      if variesParts && random.oneIn(24) {
        varyParts(&parts, &random)
        continue
      }
      let part = random.below(parts.count)
      if !changes.isEmpty && random.oneIn(2) {
        random.element(of: changes)(&parts[part], &random)
      } else {
        change(&parts[part], at: part, &random)
      }
      if parts[part].count > largestPart {
        parts[part].removeLast(parts[part].count - largestPart)
      }
    }
    return parts
  }

  private func varyParts(_ parts: inout [[UInt8]], _ random: inout SeededGenerator) {
    switch random.below(4) {
    case 0: parts.append(random.bytes(random.below(24)))
    case 1 where parts.count > 1: parts.remove(at: random.below(parts.count))
    case 2: parts.swapAt(random.below(parts.count), random.below(parts.count))
    default:
      let other = random.element(of: random.element(of: samples))
      parts[random.below(parts.count)] = other
    }
  }
}
