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
  private var adjoints: [(output: Variable, run: (_ gradient: Matrix) -> Void)] = []
  /// The leaves with a gradient, in the order of recording.
  private(set) var parameters: [Variable] = []
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
    let leaf = Variable(value: value, needsGradient: true)
    parameters.append(leaf)
    return leaf
  }

  /// A leaf with a gradient, of which operations select rows. A selection that is the only use of
  /// the leaf leaves its gradient as rows (``Variable/gradientByRows``), so that a large table
  /// costs nothing beyond the rows that are used.
  public func table(_ value: Matrix) -> Variable {
    let leaf = Variable(value: value, needsGradient: true, isTable: true)
    parameters.append(leaf)
    return leaf
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
    propagate(from: terms, stoppingAt: [])
  }

  /// The pass of ``backward(from:)``, without that from the variables at the boundary to what they
  /// were computed from.
  func propagate(
    from terms: [(variable: Variable, weight: Float)], stoppingAt boundary: [Variable]
  ) {
    for reduction in reductions {
      precondition(reduction.total != nil, "backward before its reductions are resolved")
    }
    for (variable, weight) in terms where variable.needsGradient {
      accumulate(into: variable) { gradient, isFirst in
        gradient.pointer[0] = (isFirst ? 0 : gradient.pointer[0]) + weight
      }
    }
    propagateGradients(stoppingAt: boundary)
  }

  /// Runs the adjoints of all variables that have a gradient or receive one, except those at the
  /// boundary.
  func propagateGradients(stoppingAt boundary: [Variable] = []) {
    let stops = Set(boundary.map { ObjectIdentifier($0) })
    for (output, adjoint) in adjoints.reversed() {
      if let gradient = output.gradient, !stops.contains(ObjectIdentifier(output)) {
        adjoint(gradient)
      }
    }
  }

  /// Propagates gradients that other tapes computed for some variables back to the parameters, so
  /// that several shards can share one forward pass.
  ///
  /// - Parameter seeds: variables of this tape and the gradients with respect to them. The pass may
  ///   add to these matrices.
  public func backward(seeding seeds: [(variable: Variable, gradient: Matrix)]) {
    for (variable, seed) in seeds where variable.needsGradient {
      widen(variable)
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
    propagateGradients()
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
    parameters.removeAll(keepingCapacity: true)
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
    if output.needsGradient { adjoints.append((output, adjoint)) }
    return output
  }

  /// Adds to the gradient of a variable that needs one. When `isFirst` is true the matrix is
  /// uninitialised and must be overwritten.
  public func accumulate(
    into variable: Variable, _ add: (_ gradient: Matrix, _ isFirst: Bool) -> Void
  ) {
    guard variable.needsGradient else { return }
    widen(variable)
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
    widen(variable)
    if let gradient = variable.gradient {
      variable.writtenRows?.append(contentsOf: rows)
      return add(gradient)
    }
    differentiated.append(variable)
    add(beginWithZeros(variable, rows))
  }

  private func beginWithZeros(_ variable: Variable, _ rows: [Int32]) -> Matrix {
    let storage = zeroStorage(for: variable.value.count)
    let gradient = Matrix(rows: variable.rows, columns: variable.columns, storage: storage)
    variable.gradient = gradient
    variable.writtenRows = rows
    scattered.append((variable, gradient, storage))
    return gradient
  }

  /// Keeps the gradient of selected rows of a table as the table's gradient.
  ///
  /// - Parameters:
  ///   - gradient: of the selected rows; not written after this.
  ///   - rows: the selection.
  /// - Returns: false, without having done anything, if the gradient cannot consist of these rows
  ///   alone.
  func keep(_ gradient: Matrix, ofRows rows: [Int32], in variable: Variable) -> Bool {
    guard variable.isTable, variable.gradient == nil, variable.keptRows == nil,
      rows.isAscendingDistinct
    else { return false }
    variable.keptRows = RowGradient(rows: rows, values: gradient, isCompact: true)
    differentiated.append(variable)
    return true
  }

  /// Makes a gradient that was kept as rows a whole matrix.
  private func widen(_ variable: Variable) {
    guard let kept = variable.keptRows else { return }
    variable.keptRows = nil
    let gradient = beginWithZeros(variable, kept.rows)
    for (position, row) in kept.rows.enumerated() {
      kept.withRow(at: position) {
        BLAS.accumulate($0, into: gradient.pointer + Int(row) * kept.width, count: kept.width)
      }
    }
  }

  /// The gradient of a variable as a whole matrix, for a caller that may write to it; nil if none
  /// reached it.
  public func wholeGradient(of variable: Variable) -> Matrix? {
    widen(variable)
    return variable.takeGradient()
  }

  private func zeroStorage(for count: Int) -> MatrixStorage {
    if let last = zeroed[Self.capacity(for: count)]?.popLast() { return last }
    let storage = freeStorage(for: count)
    storage.pointer.update(repeating: 0, count: storage.capacity)
    return storage
  }

  /// Clears the written rows of gradients that began as zeros, and keeps their buffers as such.
  private func keepZeros() {
    recycleScattered()
    // What is left was taken out of its variable.
    for (_, _, storage) in scattered { free[storage.capacity, default: []].append(storage) }
    scattered.removeAll(keepingCapacity: true)
  }

  /// Frees the buffers of the gradients that began as zeros and that their variables still have: as
  /// zeros where it is known which rows were written.
  private func recycleScattered() {
    scattered.removeAll { variable, gradient, storage in
      guard variable.gradient === gradient else { return false }
      guard let rows = variable.writtenRows else {
        free[storage.capacity, default: []].append(storage)
        return true
      }
      // Rows may be listed repeatedly.
      if rows.count >= gradient.rows / 2 {
        gradient.fill(0)
      } else {
        for row in rows {
          (gradient.pointer + Int(row) * gradient.columns)
            .update(repeating: 0, count: gradient.columns)
        }
      }
      zeroed[storage.capacity, default: []].append(storage)
      return true
    }
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

/// For several passes through one recording.
extension Tape {
  /// The buffers of a recording before its backward passes.
  struct PassStart {
    fileprivate let bufferCount: Int
  }

  func beginPasses() -> PassStart { PassStart(bufferCount: used.count) }

  /// Takes the gradients of some variables out of them; nil where there is none.
  func takeGradients(of variables: [Variable]) -> [HeldGradient?] {
    variables.map { variable in
      widen(variable)
      defer { variable.discardGradient() }
      return variable.gradient.map {
        HeldGradient(matrix: $0, writtenRows: variable.writtenRows)
      }
    }
  }

  /// Makes a gradient that was taken that of its variable.
  func place(_ gradient: HeldGradient, in variable: Variable) {
    variable.gradient = gradient.matrix
    variable.writtenRows = gradient.writtenRows
    differentiated.append(variable)
  }

  /// Discards the gradients that variables have. The next pass uses the buffers of all passes
  /// again, except those of gradients that were taken.
  func discardGradients(keeping held: [HeldGradient?], since start: PassStart) {
    recycleScattered()
    clearGradients()
    let kept = Set(held.compactMap { $0.map { ObjectIdentifier($0.matrix.storage) } })
    var remaining = used[..<start.bufferCount]
    for storage in used[start.bufferCount...] {
      if kept.contains(ObjectIdentifier(storage)) {
        remaining.append(storage)
      } else {
        free[storage.capacity, default: []].append(storage)
      }
    }
    used = Array(remaining)
  }
}

extension Tape {
  /// A `[1, 1]` matrix of this step.
  public func filled(_ value: Float) -> Matrix { scalar(value) }
}
