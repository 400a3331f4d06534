internal import CKernels
internal import COpenBLAS

/// The dense products that the models need; the only file that calls BLAS.
public enum BLAS {
  /// Rows, columns and row stride of a block inside a row-major buffer.
  public struct Block {
    public let pointer: UnsafeMutablePointer<Float>
    public let rows: Int
    public let columns: Int
    /// Distance between the starts of two rows, in elements.
    public let stride: Int

    public init(_ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
      precondition(stride >= columns, "Block: stride \(stride) below \(columns) columns")
      self.pointer = pointer
      self.rows = rows
      self.columns = columns
      self.stride = stride
    }

    /// The whole matrix.
    public init(_ matrix: Matrix) {
      self.init(
        matrix.pointer, rows: matrix.rows, columns: matrix.columns, stride: max(1, matrix.columns))
    }

    /// A range of consecutive rows.
    func rows(_ range: Range<Int>) -> Block {
      Block(
        pointer + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// A range of consecutive columns.
    func columns(_ range: Range<Int>) -> Block {
      Block(pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// A range of consecutive columns of a matrix.
    public init(_ matrix: Matrix, columns range: Range<Int>) {
      precondition(range.lowerBound >= 0 && range.upperBound <= matrix.columns)
      self.init(
        matrix.pointer + range.lowerBound, rows: matrix.rows, columns: range.count,
        stride: max(1, matrix.columns))
    }
  }

  /// `c = alpha · op(a) · op(b) + beta · c`, where `op` transposes if asked to, as one product on
  /// the calling thread.
  ///
  /// - Precondition: the shapes agree.
  public static func multiplyWhole(
    _ a: Block, transposeA: Bool = false, _ b: Block, transposeB: Bool = false, into c: Block,
    alpha: Float = 1, beta: Float = 0
  ) {
    let m = transposeA ? a.columns : a.rows
    let k = transposeA ? a.rows : a.columns
    let kOfB = transposeB ? b.columns : b.rows
    let n = transposeB ? b.rows : b.columns
    precondition(
      k == kOfB && c.rows == m && c.columns == n,
      "multiply: [\(m), \(k)] · [\(kOfB), \(n)] into [\(c.rows), \(c.columns)]")
    guard m > 0 && n > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      blasint(m), blasint(n), blasint(k), alpha, a.pointer, blasint(max(1, a.stride)), b.pointer,
      blasint(max(1, b.stride)), beta, c.pointer, blasint(max(1, c.stride)))
  }

  /// `y += alpha · x` over `count` elements, which do not overlap.
  ///
  /// Not OpenBLAS's: a call of `cblas_saxpy` takes longer than a row of 64 elements.
  public static func accumulate(
    _ x: UnsafePointer<Float>, scaledBy alpha: Float = 1, into y: UnsafeMutablePointer<Float>,
    count: Int
  ) {
    mrdib_add_scaled(x, alpha, y, count)
  }

  /// Sets how many threads OpenBLAS may use for one product. It is one: ``Lanes`` compute products
  /// in parallel, cut in a way that does not depend on their number.
  public static func setThreadCount(_ count: Int) { openblas_set_num_threads(Int32(count)) }

  /// The kernels that OpenBLAS runs with, such as `Haswell` or `SkylakeX`.
  public static var coreName: String { String(cString: openblas_get_corename()) }

  /// The library's own description of its build.
  public static var buildDescription: String { String(cString: openblas_get_config()) }
}

extension BLAS {
  /// `Σ_i x_i · y_i` over `count` elements.
  public static func dot(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int
  ) -> Float {
    cblas_sdot(blasint(count), x, 1, y, 1)
  }
}

extension BLAS {
  /// `Σ_i |x_i|` over `count` elements.
  public static func absoluteSum(_ x: UnsafePointer<Float>, count: Int) -> Float {
    cblas_sasum(blasint(count), x, 1)
  }
}

/// Double precision, on the calling thread.
extension BLAS {
  /// `op(a) · op(b)`, `[rows, columns]`, row-major, where `op` transposes if asked to.
  ///
  /// - Precondition: `op(a)` is `[rows, inner]` and `op(b)` is `[inner, columns]`.
  package static func multiply(
    _ a: [Double], transposeA: Bool = false, _ b: [Double], transposeB: Bool = false, rows: Int,
    inner: Int, columns: Int
  ) -> [Double] {
    precondition(
      a.count == rows * inner && b.count == inner * columns,
      "multiply: [\(rows), \(inner)] of \(a.count), [\(inner), \(columns)] of \(b.count) elements")
    var c = [Double](repeating: 0, count: rows * columns)
    guard !c.isEmpty else { return c }
    cblas_dgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      blasint(rows), blasint(columns), blasint(inner), 1, a,
      blasint(max(1, transposeA ? rows : inner)), b,
      blasint(max(1, transposeB ? inner : columns)), 0, &c, blasint(columns))
    return c
  }

  /// `y += alpha · x` over `count` elements.
  static func accumulate(
    _ x: UnsafePointer<Double>, scaledBy alpha: Double, into y: UnsafeMutablePointer<Double>,
    count: Int
  ) {
    cblas_daxpy(blasint(count), alpha, x, 1, y, 1)
  }
}
