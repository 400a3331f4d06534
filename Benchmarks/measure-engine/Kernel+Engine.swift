import CKernels
import Tensors

/// The limits of a machine, and the kernels of a training step.
extension Kernel {
  /// What one thread can do at this moment.
  static func limits(small: Bool) -> [Kernel] {
    let extent = small ? 256 : 1024
    let (a, b, c) = (
      Inputs.matrix(extent, extent), Inputs.matrix(extent, extent, id: 1),
      Matrix(rows: extent, columns: extent)
    )
    let source = Inputs.matrix(small ? 1 << 10 : 1 << 18, 64)
    let target = Matrix(rows: source.rows, columns: 64)
    return [
      Kernel(
        group: "limits", name: "sgemm, \(extent) x \(extent) x \(extent)", unit: .gigaflops,
        amount: 2 * Double(extent * extent * extent)
      ) { BLAS.multiplyWhole(BLAS.Block(a), BLAS.Block(b), into: BLAS.Block(c)) },
      Kernel(
        group: "limits", name: "copy of \(source.count / 256) KiB", unit: .gigabytes,
        amount: 8 * Double(source.count)
      ) { target.copy(from: source) },
    ]
  }

  /// Dense products of models, as the engine computes them.
  static func products(small: Bool) -> [Kernel] {
    let scale = small ? 8 : 1
    return [
      product("VBPR: features to 64", 2048 / scale, 4096 / scale, 64),
      product(
        "VBPR: gradient of its projection", 64, 2048 / scale, 4096 / scale, transposeA: true),
      product("FREEDOM: image features of all items", 7050 / scale, 4096 / scale, 64),
      product("FREEDOM: text features of all items", 7050 / scale, 384 / scale, 64),
      product("MRdIB: a discriminator's layer", 2048 / scale, 128, 64),
    ]
  }

  private static func product(
    _ name: String, _ rows: Int, _ inner: Int, _ columns: Int, transposeA: Bool = false
  ) -> Kernel {
    let a = transposeA ? Inputs.matrix(inner, rows) : Inputs.matrix(rows, inner)
    let (b, c) = (Inputs.matrix(inner, columns, id: 1), Matrix(rows: rows, columns: columns))
    return Kernel(
      group: "products", name: "\(name), \(rows) x \(inner) x \(columns)", unit: .gigaflops,
      amount: 2 * Double(rows * inner * columns)
    ) {
      BLAS.multiply(BLAS.Block(a), transposeA: transposeA, BLAS.Block(b), into: BLAS.Block(c))
    }
  }

  /// What is limited by memory. Amounts are the bytes that must be read and written if no cache
  /// holds them.
  static func passes(small: Bool) -> [Kernel] {
    let rows = small ? 1 << 10 : 1 << 18
    let (x, y, z) = (
      Inputs.matrix(rows, 64), Inputs.matrix(rows, 64, id: 1), Matrix(rows: rows, columns: 64)
    )
    let table = Inputs.matrix(rows, 3 * 64)
    let sums = UnsafeMutablePointer<Double>.allocate(capacity: rows)
    let constants = mrdib_adam_constants(
      beta1: 0.9, complement1: 0.1, beta2: 0.999, complement2: 0.001, epsilon: 1e-8)
    let step = mrdib_adam_step(
      step_size: 1e-3, inverse_root: 1.01, sums: (0, 0, 0), decay1: 0, decay2: 0)
    func pass(_ name: String, bytes: Int, _ run: @escaping () -> Void) -> Kernel {
      Kernel(
        group: "passes", name: name, unit: .gigabytes, amount: Double(bytes * x.count), run: run)
    }
    return [
      graph("the graph of baby", nodes: small ? 500 : 26_495, edges: 9),
      graph("a graph beyond the caches", nodes: small ? 1000 : 400_000, edges: 10),
      pass("y += a x", bytes: 12) { mrdib_add_scaled(x.pointer, 0.5, y.pointer, x.count) },
      pass("y = a x", bytes: 8) { mrdib_scaled_copy(x.pointer, 0.5, z.pointer, x.count) },
      pass("sigmoid", bytes: 8) { mrdib_sigmoid(x.pointer, z.pointer, x.count) },
      pass("soft-max of rows", bytes: 8) {
        mrdib_softmax_rows(z.pointer, rows, 64, nil, sums)
      },
      pass("Adam on all rows", bytes: 28) {
        withUnsafePointer(to: constants) { constants in
          for row in 0..<rows {
            mrdib_adam_update(
              table.pointer + row * 3 * 64, x.pointer + row * 64, 64, constants, step)
          }
        }
      },
    ]
  }

  /// A product with a sparse matrix, of 64 columns.
  private static func graph(_ name: String, nodes: Int, edges: Int) -> Kernel {
    let indices = (0..<nodes).flatMap { Inputs.rows(edges, below: nodes, id: $0) }
    let matrix = SparseMatrix(
      rows: nodes, columns: nodes, offsets: (0...nodes).map { Int64($0 * edges) },
      indices: indices, values: [Float](repeating: 0.1, count: indices.count))
    let (x, y) = (Inputs.matrix(nodes, 64), Matrix(rows: nodes, columns: 64))
    // A row of x, an index and a weight for every entry; an offset and a row of y for every row.
    let bytes = indices.count * (256 + 8) + nodes * (8 + 256)
    return Kernel(
      group: "passes", name: "sparse product, \(name), \(nodes) rows of \(edges)", unit: .gigabytes,
      amount: Double(bytes)
    ) { matrix.multiply(x, into: y) }
  }
}
