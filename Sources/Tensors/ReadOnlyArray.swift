internal import CKernels

/// Numbers that do not change any more, in memory of this process or in a file that is mapped into
/// it. Copies and slices share them; slices keep the indices of the whole, as those of `Array` do.
///
/// Inlinable, because every number is read through it: a call to a generic function of another
/// module takes ten times as long as the read.
///
/// `Sendable` is unchecked because nothing writes to the numbers, and their owner lives as long as
/// any copy.
public struct ReadOnlyArray<Element: BitwiseCopyable & Sendable>: RandomAccessCollection,
  @unchecked Sendable
{
  @usableFromInline let elements: UnsafeBufferPointer<Element>
  /// Keeps the numbers alive.
  @usableFromInline let owner: AnyObject?
  public let startIndex: Int
  public let endIndex: Int

  /// Copies numbers.
  public init(_ numbers: some Collection<Element>) {
    let owner = OwnedNumbers(numbers)
    self.init(UnsafeBufferPointer(owner.numbers), of: owner)
  }

  /// Numbers that belong to an object, such as a mapped file.
  package init(_ numbers: UnsafeBufferPointer<Element>, of owner: AnyObject?) {
    self.init(elements: numbers, owner: owner, indices: 0..<numbers.count)
  }

  @inlinable
  init(elements: UnsafeBufferPointer<Element>, owner: AnyObject?, indices: Range<Int>) {
    self.elements = elements
    self.owner = owner
    startIndex = indices.lowerBound
    endIndex = indices.upperBound
  }

  @inlinable
  public subscript(position: Int) -> Element {
    precondition(position >= startIndex && position < endIndex, "index \(position) out of range")
    return withExtendedLifetime(owner) { elements[position] }
  }

  @inlinable
  public subscript(bounds: Range<Int>) -> ReadOnlyArray {
    precondition(
      bounds.lowerBound >= startIndex && bounds.upperBound <= endIndex, "\(bounds) out of range")
    return ReadOnlyArray(elements: elements, owner: owner, indices: bounds)
  }

  /// Prefetches the numbers around a position, for reading.
  ///
  /// - Precondition: `position` is an index.
  @inline(__always)
  package func prefetch(_ position: Int) {
    precondition(position >= startIndex && position < endIndex, "index \(position) out of range")
    withExtendedLifetime(owner) {
      if let base = elements.baseAddress {
        mrdib_prefetch_for_reading(base + position, MemoryLayout<Element>.stride)
      }
    }
  }

  /// Calls a closure with all numbers, from index 0.
  @inlinable
  public func withUnsafeBufferPointer<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(rebasing: elements[startIndex..<endIndex]))
  }

  @inlinable
  public func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result? {
    defer { withExtendedLifetime(owner) {} }
    return try body(UnsafeBufferPointer(rebasing: elements[startIndex..<endIndex]))
  }
}

extension ReadOnlyArray: Equatable where Element: Equatable {
  public static func == (first: ReadOnlyArray, second: ReadOnlyArray) -> Bool {
    first.elementsEqual(second)
  }
}

extension ReadOnlyArray: ExpressibleByArrayLiteral {
  public init(arrayLiteral numbers: Element...) { self.init(numbers) }
}

extension ReadOnlyArray: CustomStringConvertible {
  public var description: String { "\(Array(self))" }
}

/// Numbers in memory of their own.
private final class OwnedNumbers<Element: BitwiseCopyable> {
  let numbers: UnsafeMutableBufferPointer<Element>

  init(_ numbers: some Collection<Element>) {
    self.numbers = .allocate(capacity: numbers.count)
    _ = self.numbers.initialize(from: numbers)
  }

  deinit { numbers.deallocate() }
}
