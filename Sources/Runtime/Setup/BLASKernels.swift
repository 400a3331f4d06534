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
/// falls back to AVX2 where AVX-512 is up to twice as fast. The choice can only be made through the
/// environment and before the process starts; so the program starts itself again, once.
///
/// The choice is ours even where the environment names a core type already: other kernels add in
/// another order, and the bits of a run should not depend on what a shell happens to export. Set
/// `MRDIB_BLAS_CORE` to a core type of OpenBLAS to choose another one, or to `inherit` to leave the
/// environment as it is.
public enum BLASKernels {
  static let coreVariable = "OPENBLAS_CORETYPE"
  static let threadVariable = "OPENBLAS_NUM_THREADS"
  static let choiceVariable = "MRDIB_BLAS_CORE"
  private static let markVariable = "MRDIB_BLAS_CHOSEN"

  /// Whether the processor has the vector instructions of OpenBLAS's SkylakeX kernels.
  public static let hasAVX512: Bool = {
    guard
      let flags = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        .split(separator: "\n").first(where: { $0.hasPrefix("flags") })
    else { return false }
    let present = Set(flags.split(separator: " "))
    return ["avx512f", "avx512dq", "avx512bw", "avx512vl"].allSatisfy { present.contains($0) }
  }()

  /// What to add to the environment of a process that computes.
  public static var environment: [String: String] {
    var result = [threadVariable: "1"]
    let choice = getenv(choiceVariable).map { String(cString: $0) } ?? ""
    if choice == "inherit" { return result }
    if !choice.isEmpty {
      result[coreVariable] = choice
    } else if hasAVX512 {
      // Also where OpenBLAS would pick wide kernels of its own: one kind of machine, one set of
      // bits.
      result[coreVariable] = "SKYLAKEX"
    }
    return result
  }

  /// Starts this program again with better kernels, if there are any and nobody chose already.
  /// Returns if all is well as it is, or if it could not be done.
  public static func chooseByRestart() {
    BLAS.setThreadCount(1)
    let additions = environment
    guard let wanted = additions[coreVariable], getenv(markVariable) == nil,
      getenv(coreVariable).map({ String(cString: $0) }) != wanted
    else { return }
    for (name, value) in additions { setenv(name, value, 1) }
    setenv(markVariable, "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv("/proc/self/exe", &arguments)
    for argument in arguments { free(argument) }
  }
}
