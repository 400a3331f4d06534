import CostModel
import Foundation
import ParameterServer
import Protocol
import Synchronization
import Tables
import Transport

/// The run of a measurement, which server and worker agree on.
enum MeasuredRun {
  static let id = "measurement"
  static let generation: UInt64 = 1
  /// Longer than any measurement: the sums of an epoch are of no interest.
  static let schedule = StepSchedule(stepsPerEpoch: 1 << 30)

  static func table(_ options: TableOptions) -> TableSpec {
    TableSpec(
      name: "rows", rows: options.rows, width: options.width, initializer: .uniform(bound: 0.1))
  }
}

/// A parameter server with one table, on a network thread, as in a server's process. It has no
/// coordinator.
final class RowServer {
  let endpoint: String
  private let context: ZeroMQContext
  private let thread: NetworkThread<Void>

  init(_ options: TableOptions, adamMode: String) throws {
    guard let mode = Adam.Mode(rawValue: adamMode) else {
      throw MeasurementError("There is no mode '\(adamMode)' of Adam.")
    }
    let context = try ZeroMQContext()
    let bound = DispatchSemaphore(value: 0)
    let address = Mutex<String?>(nil)
    thread = try NetworkThread<Void>(name: "server-network", context: context) {
      let state = try ServerState<PeerID>(
        rank: 0, serverCount: 1, runID: MeasuredRun.id, generation: MeasuredRun.generation,
        tables: [MeasuredRun.table(options)], seed: 1, shardCount: 1,
        schedule: MeasuredRun.schedule,
        optimizer: OptimizerConfiguration(
          Adam(mode: mode), model: LearningRate(1e-3), discriminator: LearningRate(1e-3)))
      return RowServerHandler(ServerSession(serving: state, MeasuredRun.schedule)) { endpoint in
        address.withLock { $0 = endpoint }
        bound.signal()
      }
    }
    self.context = context
    bound.wait()
    guard let endpoint = address.withLock({ $0 }) else {
      try thread.join()
      throw MeasurementError("The server could not listen.")
    }
    self.endpoint = endpoint
  }

  func stop() throws {
    thread.stop()
    try thread.join()
    try context.terminate()
  }
}

/// Answers requests as the node of a server does.
private final class RowServerHandler: NetworkHandler {
  private var session: ServerSession<PeerID>
  private let bound: (String?) -> Void

  init(_ session: ServerSession<PeerID>, bound: @escaping (String?) -> Void) {
    self.session = session
    self.bound = bound
  }

  func started(on loop: NetworkLoop<Void>) throws {
    do {
      bound("\(try loop.bindRouter("tcp://127.0.0.1:*").endpoint)")
    } catch {
      bound(nil)
      throw error
    }
  }

  func received(_ message: WireMessage, from peer: PeerID, on loop: NetworkLoop<Void>) {
    guard let request = try? DataRequest(decoding: message) else { return }
    for case .reply(let reply, let peer) in session.handle(.request(request, from: peer), at: 0) {
      // A peer that has left needs no answer.
      try? loop.send(reply.encoded(), to: peer)
    }
  }

  func lost(_ peer: PeerID, undelivered: Int, on loop: NetworkLoop<Void>) {
    _ = session.handle(.peerGone(peer), at: 0)
  }

  func ticked(at now: Duration, on loop: NetworkLoop<Void>) {}
  func posted(_ event: Void, on loop: NetworkLoop<Void>) {}
}

/// Why something could not be measured.
struct MeasurementError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
