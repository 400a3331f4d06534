import Files
import Foundation
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Chooses OpenBLAS's kernels.
///
/// Kernels add in different orders, so they decide the bits of a run; kernels that the processor
/// cannot run end the process. OpenBLAS chooses them when it is loaded, by the environment or by
/// the processor's model; for a processor that is newer than the library its choice may be half as
/// fast as possible. So the program makes the choice, the same on all processors with the same
/// features, by setting the environment and executing itself once more.
///
/// `MRDIB_BLAS_CORE` names other kernels, to repeat a run of another machine.
package enum BLASKernels {
  static let choiceVariable = "MRDIB_BLAS_CORE"
  private static let coreVariable = "OPENBLAS_CORETYPE"
  private static let threadVariable = "OPENBLAS_NUM_THREADS"

  /// Kernels of OpenBLAS 0.3.21 for one kind of processor.
  package struct Kernels: Sendable {
    /// OpenBLAS's name for them.
    package let name: String
    /// The processor features that they need.
    let needs: [String]
    /// Whether they may be chosen by default.
    var isStandard = false
  }

  private static let avx512 = ["avx512f", "avx512cd", "avx512dq", "avx512bw", "avx512vl"]

  /// The fastest first; the last ones run on every x86-64 processor.
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

  /// The kernels for a processor.
  ///
  /// - Parameters:
  ///   - wanted: the kernels that the user names; empty for the default.
  ///   - features: of the processor.
  /// - Throws: ``RuntimeError`` if there are no such kernels, or the processor cannot run them.
  package static func choose(
    wanted: String, features: ProcessorFeatures
  ) throws(RuntimeError) -> Kernels {
    guard !wanted.isEmpty else {
      // The last ones need no features.
      return all.first { $0.isStandard && features.has($0.needs) } ?? all[all.count - 1]
    }
    guard let kernels = all.first(where: { $0.name.lowercased() == wanted.lowercased() }) else {
      throw RuntimeError(
        exitCode: .configuration,
        message: "Cannot compute with the kernels '\(wanted.sanitized())' (\(choiceVariable)): "
          + "known are \(all.map(\.name).joined(separator: ", ")). Name one of these, or unset the "
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

  /// The changes of the environment for these kernels, by variable; nil means unset. All variables
  /// of OpenBLAS and of its predecessor are unset: they choose kernels, block sizes or output.
  package static func changes(
    in environment: [String: String], for kernels: Kernels
  ) -> [String: String?] {
    let wanted = [coreVariable: kernels.name, threadVariable: "1"]
    var changes: [String: String?] = [:]
    for name in environment.keys
    where name.hasPrefix("OPENBLAS_") || name.hasPrefix("GOTO_") {
      // A name that is not UTF-8 is none of OpenBLAS's, and could not be unset.
      if wanted[name] == nil, !name.unicodeScalars.contains("\u{FFFD}") {
        changes[name] = .some(nil)
      }
    }
    for (name, value) in wanted where environment[name] != value { changes[name] = value }
    return changes
  }

  /// Makes this process and its children use the chosen kernels: if the environment differs, the
  /// program executes itself again with the right one. Call it before anything is computed.
  ///
  /// - Throws: ``RuntimeError`` if the processor cannot run the kernels that the user names, or the
  ///   program cannot be executed again.
  package static func choose() throws(RuntimeError) {
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
    // Not every BLAS library reads the environment.
    BLAS.setThreadCount(1)
  }

  /// The name of the chosen kernels; on other processors than x86-64, of those that run.
  package static var chosenName: String {
    #if arch(x86_64)
      let wanted = ProcessInfo.processInfo.environment[choiceVariable] ?? ""
      return (try? choose(wanted: wanted, features: .current).name) ?? runningName
    #else
      return runningName
    #endif
  }

  /// The name of the kernels that OpenBLAS runs.
  package static var runningName: String { BLAS.coreName }

  /// Executes the program again. Returns only if that fails, with the reason.
  private static func startAgain(_ changes: [String: String?]) -> RuntimeError {
    for (name, value) in changes {
      // Unset first: if a variable is there twice, a leftover would make the program restart for
      // ever.
      unsetenv(name)
      if let value { setenv(name, value, 1) }
    }
    execv("/proc/self/exe", CommandLine.unsafeArgv)
    return .system(
      "start again with the kernels that fit this processor", errno: errno, exitCode: .system)
  }
}

/// The features of the processor, by Linux's names, such as `avx2`.
package struct ProcessorFeatures: Sendable, Equatable {
  package let names: Set<String>

  package init(names: Set<String>) { self.names = names }

  /// - Parameter cpuInfo: text in the form of `/proc/cpuinfo`.
  package init(cpuInfo: String) {
    let line = cpuInfo.split(separator: "\n").first { $0.hasPrefix("flags") }
    names = Set(line?.split(whereSeparator: \.isWhitespace).map(String.init) ?? [])
  }

  /// The features of this machine.
  package static let current = ProcessorFeatures(cpuInfo: cpuInfo)

  /// Linux's description of the processors; empty on other systems.
  static let cpuInfo: String = {
    let bytes = (try? PlainFile.contents(of: "/proc/cpuinfo", atMost: 64 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self)
  }()

  func has(_ needed: some Sequence<String>) -> Bool { needed.allSatisfy(names.contains) }
}
