/// What one process needs at the least, as far as it is known before it runs.
///
/// The numbers were counted in running processes. Those of open files include what is kept free of
/// connections for the best model and checkpoints (`ConnectionGuard`): with less a run would wait
/// for descriptors that never come. A limit that lets a process start may still be too small later:
/// then it ends with a sentence of its own (`CProcess/exhaustion.c`).
public struct ProcessNeeds: Sendable, Equatable {
  /// Files that are open at the same time.
  package var descriptors: Int
  /// Of its own.
  package var threads = 5
  /// Bytes of address space: the program with its libraries, and the stacks of its threads.
  package var addressSpace = 150 << 20
  /// Bytes of memory that no other process shares.
  package var memory = 12 << 20

  /// A connection that it makes takes four (a socket, its queue, and two to watch it), one that it
  /// accepts takes one.
  package static func coordinator(servers: Int, workers: Int) -> ProcessNeeds {
    ProcessNeeds(descriptors: 44 + servers + workers + 4 * servers)
  }

  /// - Parameter tableBytes: of its share of the tables, with the optimizer's state.
  package static func server(workers: Int, tableBytes: Int) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 34 + workers)
    needs.addressSpace += tableBytes
    needs.memory += tableBytes
    return needs
  }

  package static func worker(servers: Int) -> ProcessNeeds {
    ProcessNeeds(descriptors: 20 + 4 * servers, addressSpace: computingAddressSpace)
  }

  /// Any command: with less the runtime's own threads find no descriptors, and trap.
  public static let command = ProcessNeeds(descriptors: 24, addressSpace: 0)

  /// A run in one process and without a network.
  public static let singleProcess = ProcessNeeds(
    descriptors: 24, addressSpace: computingAddressSpace)

  /// With what OpenBLAS works in: a run on 150 users ended at 293 MiB and trained at 342.
  private static let computingAddressSpace = 320 << 20

  /// Of one that starts `children` others.
  package static func launcher(children: Int) -> ProcessNeeds {
    var needs = ProcessNeeds(descriptors: 18 + 2 * children)
    needs.threads = 0
    return needs
  }

  /// - Parameter name: of the process, such as `the coordinator`.
  /// - Throws: ``RuntimeError`` 71 that says what is missing and what to do.
  public func check(_ limits: ProcessLimits, for name: String) throws {
    if let limit = limits.descriptors, limit < descriptors {
      throw ProcessLimits.refusal(
        "\(name) needs at least \(descriptors) open files, and the limit is \(limit)",
        "raise it (ulimit -n)")
    }
    if let limit = limits.addressSpace, limit < addressSpace {
      throw ProcessLimits.refusal(
        "\(name) needs at least \(addressSpace >> 20) MiB of address space, and the limit is "
          + "\(limit >> 20) MiB", "raise it (ulimit -v)")
    }
  }
}

extension ProcessLimits {
  /// - Parameters:
  ///   - found: what is needed and what there is.
  ///   - advice: what to do.
  static func refusal(_ found: String, _ advice: String) -> RuntimeError {
    RuntimeError(exitCode: .system, message: "Cannot start: \(found); \(advice).")
  }
}
