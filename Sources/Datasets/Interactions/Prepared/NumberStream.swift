/// Writes numbers one after the other to a place in a file, a block at a time.
struct NumberWriter<Number: BitwiseCopyable> {
  private static var blockCount: Int { 1 << 16 }

  private let file: AtomicFile
  private var offset: Int
  private var block: [Number] = []

  init(_ file: AtomicFile, at offset: Int) {
    self.file = file
    self.offset = offset
    block.reserveCapacity(Self.blockCount)
  }

  mutating func append(_ number: Number) throws(DatasetError) {
    block.append(number)
    if block.count == Self.blockCount { try flush() }
  }

  mutating func flush() throws(DatasetError) {
    try file.write(block, at: offset)
    offset += block.count * MemoryLayout<Number>.stride
    block.removeAll(keepingCapacity: true)
  }
}

/// Reads numbers that a ``NumberWriter`` wrote, a block at a time.
struct NumberReader<Number: BitwiseCopyable & ExpressibleByIntegerLiteral> {
  private static var blockCount: Int { 1 << 16 }

  private let file: AtomicFile
  private var offset: Int
  private var left: Int
  private var block: [Number] = []
  private var position = 0

  init(_ file: AtomicFile, at offset: Int, count: Int) {
    self.file = file
    self.offset = offset
    left = count
  }

  /// The next number; nil after the last.
  mutating func next() throws(DatasetError) -> Number? {
    if position == block.count {
      guard left > 0 else { return nil }
      let count = min(left, Self.blockCount)
      if block.count != count { block = [Number](repeating: 0, count: count) }
      try file.read(into: &block, at: offset)
      offset += count * MemoryLayout<Number>.stride
      left -= count
      position = 0
    }
    defer { position += 1 }
    return block[position]
  }
}

extension AtomicFile {
  /// Writes numbers at an offset, as ``write(_:at:)`` does bytes.
  func write(_ numbers: [some BitwiseCopyable], at offset: Int) throws(DatasetError) {
    try numbers.withUnsafeBufferPointer { buffer throws(DatasetError) in
      try write(UnsafeRawBufferPointer(buffer), at: offset)
    }
  }

  /// Reads back as many numbers as the array has.
  func read<Number: BitwiseCopyable>(
    into numbers: inout [Number], at offset: Int
  ) throws(DatasetError) {
    try numbers.withUnsafeMutableBufferPointer { buffer throws(DatasetError) in
      try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
  }
}
