import Foundation
import Tensors
import Transport

/// The output of `mrdib doctor`.
package struct Diagnosis: Sendable, Encodable {
  package let schemaVersion = 1
  package let version: String
  package let environment: RunEnvironment
  /// Whether the processor has AVX-512.
  package let hasAVX512: Bool
  /// The kernels that the program chose for this processor.
  package let chosenKernels: String
  /// The kernels that OpenBLAS runs.
  package let runningKernels: String
  /// The processors that the program may use, by affinity and quota: its default of threads.
  package let availableProcessors: Int
  /// 10⁹ floating-point operations per second of one thread for 2048 × 4096 by 4096 × 64.
  package let gigaflopsPerThread: Double
  /// The same on all available processors.
  package let gigaflops: Double
  package let zeroMQ: String

  enum CodingKeys: String, CodingKey {
    case schemaVersion = "schema_version"
    case hasAVX512 = "has_avx512"
    case chosenKernels = "chosen_kernels"
    case runningKernels = "running_kernels"
    case availableProcessors = "available_processors"
    case gigaflopsPerThread = "gigaflops_per_thread"
    case zeroMQ = "zeromq"
    case version, environment, gigaflops
  }

  package static func capture() -> Diagnosis {
    let environment = RunEnvironment.capture(
      version: Program.version, gitCommit: nil, openBLAS: .current, started: Date())
    return Diagnosis(
      version: Program.version, environment: environment,
      hasAVX512: ProcessorFeatures.current.names.contains("avx512f"),
      chosenKernels: environment.openBLAS.chosen, runningKernels: environment.openBLAS.core,
      availableProcessors: Processors.available, gigaflopsPerThread: measureProduct(lanes: 1),
      gigaflops: measureProduct(lanes: Processors.threads(wanted: 0, processes: 1)),
      zeroMQ: ZeroMQContext.libraryVersion
        + (ZeroMQContext.hasCurve ? " with CURVE" : " without CURVE"))
  }

  /// The best of five.
  private static func measureProduct(lanes: Int) -> Double {
    let (rows, inner, columns) = (2048, 4096, 64)
    let left = Matrix(rows: rows, columns: inner)
    let right = Matrix(rows: columns, columns: inner)
    left.fill(0.5)
    right.fill(0.25)
    let result = Matrix(rows: rows, columns: columns)
    let seconds = Lanes.$ofScope.withValue(Lanes(count: lanes)) {
      (0..<5).map { _ in
        let start = MonotonicClock.seconds
        BLAS.multiply(.init(left), .init(right), transposeB: true, into: .init(result))
        return MonotonicClock.seconds - start
      }
    }
    return 2 * Double(rows * inner * columns) / (seconds.min() ?? .infinity) / 1e9
  }

  private var kernels: String {
    chosenKernels == runningKernels
      ? runningKernels
      : "\(runningKernels), because this library does not have \(chosenKernels)"
  }

  package var lines: [String] {
    [
      "mrdib \(version)",
      "host\t\(environment.host)",
      "system\t\(environment.operatingSystem)",
      "processor\t\(environment.cpuModel), \(environment.cpuCores) cores, "
        + "\(availableProcessors) available"
        + (hasAVX512 ? ", AVX-512" : ""),
      "memory\t\(environment.memoryBytes >> 20) MiB",
      "OpenBLAS\t\(environment.openBLAS.configuration)",
      "OpenBLAS kernels\t\(kernels) (\(BLASKernels.choiceVariable) chooses others)",
      String(
        format: "matrix product\t%.0f GFLOP/s on one thread, %.0f on %d, 2048x4096 by 4096x64",
        gigaflopsPerThread, gigaflops, Processors.threads(wanted: 0, processes: 1)),
      "ZeroMQ\t\(zeroMQ)",
    ]
  }
}
