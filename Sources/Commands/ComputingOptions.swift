import ArgumentParser
import Runtime
import Tensors

/// How a process computes.
struct ComputingOptions: ParsableArguments {
  @Option(
    help: """
      Threads that this process computes on; the result does not depend on them (default: all \
      processors that it may use).
      """)
  var threads: Int?

  func validate() throws {
    if let threads, !(1...Lanes.mostCount).contains(threads) {
      throw ValidationError("--threads is \(threads); give 1 to \(Lanes.mostCount)")
    }
  }

  /// Makes the process compute on the wanted number of threads.
  func startLanes() { Lanes.setCount(Processors.threads(wanted: threads ?? 0, processes: 1)) }
}
