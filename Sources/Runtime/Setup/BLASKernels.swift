import ForeignText
import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Chooses the kernels that OpenBLAS computes with.
///
/// Other kernels add in another order, so that they decide the bits of a run, and those that the
/// processor cannot run end the process. OpenBLAS picks them when it is loaded: what the
/// environment names, or what it knows of the processor, which for one that is newer than the
/// library may be half as fast as possible. So the program chooses, whatever the environment says:
/// the same on all processors of a kind. That takes another environment and another start, once.
///
/// `MRDIB_BLAS_CORE` names other kernels: to repeat a run of another machine.
public enum BLASKernels {
  static let choiceVariable = "MRDIB_BLAS_CORE"
  private static let coreVariable = "OPENBLAS_CORETYPE"
  private static let threadVariable = "OPENBLAS_NUM_THREADS"

  /// Kernels that OpenBLAS 0.3.21 has for a kind of processor.
  package struct Kernels: Sendable {
    /// As OpenBLAS says which ones it runs.
    package let name: String
    /// What the processor has to be able to do.
    let needs: [String]
    /// Whether they are chosen where nobody asks for others.
    var isStandard = false
  }

  private static let avx512 = ["avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"]

  /// From the best to those that every x86-64 processor runs.
  static let all = [
    Kernels(name: "Cooperlake", needs: avx512 + ["avx512_bf16"]),
    Kernels(name: "SkylakeX", needs: avx512 + ["avx2", "fma"], isStandard: true),
    Kernels(name: "Zen", needs: ["avx2", "fma"]),
    Kernels(name: "Haswell", needs: ["avx2", "fma"], isStandard: true),
    Kernels(name: "Sandybridge", needs: ["avx"], isStandard: true),
    Kernels(name: "Nehalem", needs: ["sse4_2"]),
    Kernels(name: "Core2", needs: ["ssse3"]),
    Kernels(name: "Prescott", needs: [], isStandard: true),
  ]

  /// Which kernels a process computes with.
  ///
  /// - Parameters:
  ///   - wanted: what a person asks for; empty: nothing.
  ///   - features: of the processor.
  /// - Throws: ``RuntimeError`` if there are no such kernels, or the processor cannot run them.
  package static func choose(
    wanted: String, features: ProcessorFeatures
  ) throws(RuntimeError) -> Kernels {
    guard !wanted.isEmpty else {
      // The last of them needs nothing.
      return all.first { $0.isStandard && features.has($0.needs) } ?? all[all.count - 1]
    }
    guard let kernels = all.first(where: { $0.name.lowercased() == wanted.lowercased() }) else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot compute with the kernels '\(wanted.shown())' (\(choiceVariable)): known "
          + "are \(all.map(\.name).joined(separator: ", ")). Name one of these, or unset the "
          + "variable.")
    }
    let missing = kernels.needs.filter { !features.names.contains($0) }
    guard missing.isEmpty else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot compute with the kernels '\(kernels.name)' (\(choiceVariable)): this "
          + "processor lacks \(missing.joined(separator: ", ")). Name others, or unset the "
          + "variable.")
    }
    return kernels
  }

  /// What has to change in the environment for these kernels, by variable; nil stands for one that
  /// must not be set. Every variable of OpenBLAS and of its predecessor is one: some name
  /// kernels, some say how products are cut into blocks, some print.
  package static func changes(
    in environment: [String: String], for kernels: Kernels
  ) -> [String: String?] {
    let wanted = [coreVariable: kernels.name, threadVariable: "1"]
    var changes: [String: String?] = [:]
    for name in environment.keys
    where name.hasPrefix("OPENBLAS_") || name.hasPrefix("GOTO_") {
      // A name that is no UTF-8 is not one that OpenBLAS knows, and could not be unset.
      if wanted[name] == nil, !name.unicodeScalars.contains("\u{FFFD}") {
        changes[name] = .some(nil)
      }
    }
    for (name, value) in wanted where environment[name] != value { changes[name] = value }
    return changes
  }

  /// Sees to it that this process and those that it starts compute with the kernels that the
  /// program chooses: if the environment it was started in says something else, the program starts
  /// itself again. Call it before anything is computed.
  ///
  /// - Throws: ``RuntimeError`` if the processor cannot do what a person asks for, or the program
  ///   cannot be started again.
  public static func choose() throws(RuntimeError) {
    #if arch(x86_64)
      let environment = ProcessInfo.processInfo.environment
      let wanted = environment[choiceVariable] ?? ""
      let kernels = try choose(wanted: wanted, features: .current)
      let changes = changes(in: environment, for: kernels)
      if !changes.isEmpty { throw startAgain(changes) }
      guard wanted.isEmpty || BLAS.coreName.lowercased() == kernels.name.lowercased() else {
        throw RuntimeError(
          exitCode: .configuration,
          message: "Cannot compute with the kernels '\(kernels.name)' (\(choiceVariable)): this "
            + "OpenBLAS runs \(BLAS.coreName) instead. Use one that was built with DYNAMIC_ARCH, "
            + "or unset the variable.")
      }
    #endif
    // Also where another library than OpenBLAS's reads the environment.
    BLAS.setThreadCount(1)
  }

  /// What the program chose, for people; where it has no choice, what runs.
  public static var chosenName: String {
    #if arch(x86_64)
      let wanted = ProcessInfo.processInfo.environment[choiceVariable] ?? ""
      return (try? choose(wanted: wanted, features: .current).name) ?? runningName
    #else
      return runningName
    #endif
  }

  /// What OpenBLAS runs.
  public static var runningName: String { BLAS.coreName }

  /// - Returns: why the program goes on as it is.
  private static func startAgain(_ changes: [String: String?]) -> RuntimeError {
    for (name, value) in changes {
      // All of that name: one that is left over would have the program start for ever.
      unsetenv(name)
      if let value { setenv(name, value, 1) }
    }
    execv("/proc/self/exe", CommandLine.unsafeArgv)
    return .system(
      "start again with the kernels that fit this processor", errno: errno, exitCode: .system)
  }
}
