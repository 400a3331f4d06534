/// Records operations as they are computed and runs their adjoints in reverse order.
///
/// Operations are coarse (a linear layer, a loss over a batch), each with a hand-written adjoint in
/// a file of its own under `Operations`. A step is:
///
/// 1. record: `let loss = tape.rankingLoss(…)`;
/// 2. if ``reductions`` is not empty, sum each over all shards and ``resolve(_:)`` them;
/// 3. ``backward(from:)``, read the parameters' gradients;
/// 4. ``reset()``, which frees every matrix of the step for the next one.
///
/// Buffers live as long as the tape: in steady state a step allocates nothing of matrix size.
/// A tape belongs to one thread at a time.
public final class Tape {
  private var adjoints: [() -> Void] = []
  private var free: [Int: [MatrixStorage]] = [:]
  private var used: [MatrixStorage] = []
  /// Buffers of zeros, by capacity.
  private var zeroed: [Int: [MatrixStorage]] = [:]
  /// Gradients that began as zeros and of which only some rows were written.
  private var scattered: [(variable: Variable, gradient: Matrix, storage: MatrixStorage)] = []
  /// Variables whose gradient has been allocated.
  private var differentiated: [Variable] = []
  /// Sums that need all shards before the backward pass can run, in the order of recording.
  public internal(set) var reductions: [Reduction] = []
  /// Bytes of all buffers that the tape holds.
  public private(set) var heldByteCount = 0

  public init() {}

  /// A matrix of this step with undefined elements, valid until ``reset()``.
  public func matrix(rows: Int, columns: Int) -> Matrix {
    let storage = freeStorage(for: rows * columns)
    used.append(storage)
    return Matrix(rows: rows, columns: columns, storage: storage)
  }

  /// A buffer that no matrix uses.
  private func freeStorage(for count: Int) -> MatrixStorage {
    let capacity = Self.capacity(for: count)
    if let last = free[capacity]?.popLast() { return last }
    heldByteCount += capacity * MemoryLayout<Float>.stride
    return MatrixStorage(capacity: capacity)
  }

  private static func capacity(for count: Int) -> Int {
    var capacity = 64
    while capacity < count { capacity *= 2 }
    return capacity
  }

  /// A leaf with a gradient. The tape reads `value` and never writes it.
  public func parameter(_ value: Matrix) -> Variable {
    Variable(value: value, needsGradient: true)
  }

  /// A leaf without a gradient.
  public func constant(_ value: Matrix) -> Variable {
    Variable(value: value, needsGradient: false)
  }

  /// The same value, through which no gradient flows (stop-gradient).
  public func detached(_ variable: Variable) -> Variable { constant(variable.value) }

  /// Computes the gradient of `Σ weight · variable` over `[1, 1]` variables, for every parameter
  /// that they depend on.
  ///
  /// - Precondition: every reduction is resolved; called once per recording.
  public func backward(from terms: [(variable: Variable, weight: Float)]) {
    for reduction in reductions {
      precondition(reduction.total != nil, "backward before its reductions are resolved")
    }
    for (variable, weight) in terms where variable.needsGradient {
      accumulate(into: variable) { gradient, isFirst in
        gradient.pointer[0] = (isFirst ? 0 : gradient.pointer[0]) + weight
      }
    }
    for adjoint in adjoints.reversed() { adjoint() }
  }

  /// Propagates gradients that other tapes computed for some variables back to the parameters, so
  /// that several shards can share one forward pass.
  ///
  /// - Parameter seeds: variables of this tape and the gradients with respect to them. The pass may
  ///   add to these matrices.
  public func backward(seeding seeds: [(variable: Variable, gradient: Matrix)]) {
    for (variable, seed) in seeds where variable.needsGradient {
      if variable.gradient == nil {
        variable.writtenRows = nil
        variable.gradient = seed
        differentiated.append(variable)
      } else {
        accumulate(into: variable, elements: 1) { [self] gradient, range, isFirst in
          add(seed, to: gradient, range, isFirst: isFirst)
        }
      }
    }
    for adjoint in adjoints.reversed() { adjoint() }
  }

  /// Discards all gradients and keeps the recording, for another backward pass through it.
  public func clearGradients() {
    for variable in differentiated { variable.discardGradient() }
    differentiated.removeAll(keepingCapacity: true)
  }

  /// Discards the recording. The matrices made by this tape, values and gradients included, must
  /// not be used afterwards.
  public func reset() {
    keepZeros()
    adjoints.removeAll(keepingCapacity: true)
    reductions.removeAll(keepingCapacity: true)
    differentiated.removeAll(keepingCapacity: true)
    for storage in used { free[storage.capacity, default: []].append(storage) }
    used.removeAll(keepingCapacity: true)
  }

  // MARK: For operations

  /// Adds an operation: its value, what it was computed from, and how a gradient of the value
  /// flows back. Check the gradient of a new operation against finite differences. `adjoint` runs
  /// only if a gradient arrived. It must not retain the tape, which
  /// retains it: the cycle would keep all matrices of a recording that is never reset.
  public func record(
    _ value: Matrix, from inputs: Variable..., adjoint: @escaping (_ gradient: Matrix) -> Void
  ) -> Variable {
    record(value, from: inputs, adjoint: adjoint)
  }

  public func record(
    _ value: Matrix, from inputs: [Variable], adjoint: @escaping (_ gradient: Matrix) -> Void
  ) -> Variable {
    let output = Variable(value: value, needsGradient: inputs.contains { $0.needsGradient })
    if output.needsGradient {
      adjoints.append { if let gradient = output.gradient { adjoint(gradient) } }
    }
    return output
  }

  /// Adds to the gradient of a variable that needs one. When `isFirst` is true the matrix is
  /// uninitialised and must be overwritten.
  public func accumulate(
    into variable: Variable, _ add: (_ gradient: Matrix, _ isFirst: Bool) -> Void
  ) {
    guard variable.needsGradient else { return }
    if let gradient = variable.gradient {
      variable.writtenRows = nil
      add(gradient, false)
    } else {
      let gradient = matrix(rows: variable.rows, columns: variable.columns)
      variable.writtenRows = nil
      variable.gradient = gradient
      differentiated.append(variable)
      add(gradient, true)
    }
  }

  /// Like ``accumulate(into:_:)`` for adjoints that touch only some elements: the matrix begins
  /// with zeros.
  public func scatter(into variable: Variable, _ add: (_ gradient: Matrix) -> Void) {
    accumulate(into: variable) { gradient, isFirst in
      if isFirst { gradient.fill(0) }
      add(gradient)
    }
  }

  /// Like ``scatter(into:_:)`` for adjoints that add to the listed rows only. Of a large table a
  /// batch uses few rows, and the others cost nothing: the gradient begins with a buffer of zeros,
  /// and only the rows that were written are cleared for the next step.
  func accumulate(into variable: Variable, onlyRows rows: [Int32], _ add: (Matrix) -> Void) {
    guard variable.needsGradient else { return }
    if let gradient = variable.gradient {
      variable.writtenRows?.append(contentsOf: rows)
      return add(gradient)
    }
    let storage = zeroStorage(for: variable.value.count)
    let gradient = Matrix(rows: variable.rows, columns: variable.columns, storage: storage)
    variable.gradient = gradient
    variable.writtenRows = rows
    differentiated.append(variable)
    scattered.append((variable, gradient, storage))
    add(gradient)
  }

  private func zeroStorage(for count: Int) -> MatrixStorage {
    if let last = zeroed[Self.capacity(for: count)]?.popLast() { return last }
    let storage = freeStorage(for: count)
    storage.pointer.update(repeating: 0, count: storage.capacity)
    return storage
  }

  /// Clears the written rows of gradients that began as zeros, and keeps their buffers as such.
  private func keepZeros() {
    for (variable, gradient, storage) in scattered {
      guard variable.gradient === gradient, let rows = variable.writtenRows else {
        free[storage.capacity, default: []].append(storage)
        continue
      }
      for row in rows {
        (gradient.pointer + Int(row) * gradient.columns)
          .update(repeating: 0, count: gradient.columns)
      }
      zeroed[storage.capacity, default: []].append(storage)
    }
    scattered.removeAll(keepingCapacity: true)
  }

  /// Like ``accumulate(into:_:)``, element by element on all lanes: `add` receives consecutive
  /// ranges of elements that together cover the matrix.
  func accumulate(
    into variable: Variable, elements cost: Int,
    _ add: (_ gradient: Matrix, _ elements: Range<Int>, _ isFirst: Bool) -> Void
  ) {
    accumulate(into: variable) { gradient, isFirst in
      Lanes.current.forEachRange(of: gradient.count, elements: cost) {
        add(gradient, $0, isFirst)
      }
    }
  }

  /// Like ``accumulate(into:_:)``, row by row on all lanes: `add` receives consecutive ranges of
  /// rows that together cover the matrix.
  func accumulate(
    into variable: Variable, rowsCosting elements: Int,
    _ add: (_ gradient: Matrix, _ rows: Range<Int>, _ isFirst: Bool) -> Void
  ) {
    accumulate(into: variable) { gradient, isFirst in
      Lanes.current.forEachRange(of: gradient.rows, elements: elements) {
        add(gradient, $0, isFirst)
      }
    }
  }

  func scalar(_ value: Float) -> Matrix {
    let result = matrix(rows: 1, columns: 1)
    result.pointer[0] = value
    return result
  }
}

extension Tape {
  /// A `[1, 1]` matrix of this step.
  public func filled(_ value: Float) -> Matrix { scalar(value) }
}

/// A matrix on a tape: its value and, after ``Tape/backward(from:)``, the gradient of the loss
/// with respect to it.
public final class Variable {
  public let value: Matrix
  /// Same shape as `value`; nil when no gradient reached this variable.
  public internal(set) var gradient: Matrix?
  /// The rows of the gradient that were written, in any order and perhaps repeatedly, if all others
  /// are zero; nil if any row may have been.
  var writtenRows: [Int32]?
  let needsGradient: Bool

  init(value: Matrix, needsGradient: Bool) {
    self.value = value
    self.needsGradient = needsGradient
  }

  public var rows: Int { value.rows }
  public var columns: Int { value.columns }

  /// The rows of the gradient that may have elements other than 0, ascending; none without a
  /// gradient.
  public var gradientRows: [UInt32] {
    guard let gradient else { return [] }
    guard let writtenRows else { return gradient.nonZeroRows }
    var isWritten = [Bool](repeating: false, count: rows)
    for row in writtenRows { isWritten[Int(row)] = true }
    return isWritten.indices.filter { isWritten[$0] }.map { UInt32(truncatingIfNeeded: $0) }
  }

  func discardGradient() {
    gradient = nil
    writtenRows = nil
  }

  /// The gradient, for a caller that writes to it.
  public func takeGradient() -> Matrix? {
    writtenRows = nil
    return gradient
  }

  /// The value of a `[1, 1]` variable.
  public var scalar: Float {
    precondition(rows == 1 && columns == 1, "scalar of a \(value.shape) variable")
    return value.pointer[0]
  }
}
