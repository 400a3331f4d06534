import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Chooses the kernels that OpenBLAS runs with.
///
/// OpenBLAS picks kernels when it is loaded, and on processors that are newer than the library it
/// falls back to AVX2 where AVX-512 would be about twice as fast. The choice can only be made
/// through the environment and before the process starts; so the program starts itself again, once.
public enum BLASKernels {
  static let coreVariable = "OPENBLAS_CORETYPE"
  static let threadVariable = "OPENBLAS_NUM_THREADS"
  private static let markVariable = "MRDIB_BLAS_CHOSEN"

  /// Whether the processor has the vector instructions of OpenBLAS's SkylakeX kernels.
  public static let hasAVX512: Bool = {
    guard let flags = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      .split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    let present = Set(flags.split(separator: " "))
    return ["avx512f", "avx512dq", "avx512bw", "avx512vl"].allSatisfy { present.contains($0) }
  }()

  /// Cores whose kernels use AVX-512.
  private static let wideCores: Set<String> = ["SkylakeX", "Cooperlake", "SapphireRapids"]

  /// What to add to the environment of a process that computes.
  public static var environment: [String: String] {
    var result = [threadVariable: "1"]
    if hasAVX512, getenv(coreVariable) == nil, !wideCores.contains(BLAS.coreName) {
      result[coreVariable] = "SKYLAKEX"
    }
    return result
  }

  /// Starts this program again with better kernels, if there are any and nobody chose already.
  /// Returns if all is well as it is, or if it could not be done.
  public static func chooseByRestart() {
    BLAS.setThreadCount(1)
    let additions = environment
    guard additions[coreVariable] != nil, getenv(markVariable) == nil else { return }
    for (name, value) in additions { setenv(name, value, 1) }
    setenv(markVariable, "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    for argument in arguments { free(argument) }
  }
}
