import Foundation
import Logging
import Transport

extension NodeOptions {
  /// Where a process looks for its coordinator, and for how long.
  var searchSentence: String {
    "looking for the coordinator at \(coordinator), for \(Int(joinTimeout)) s at most"
  }

  /// Says if the coordinator's host has no address, unless the role has ended by then: libzmq would
  /// ask for it again and again without a word.
  func warnOfUnknownHost(_ logger: Logger, until outcome: OutcomeBox) {
    // One that is malformed is refused when it is connected to.
    guard let endpoint = try? Endpoint(coordinator) else { return }
    // A name service that does not answer holds up nobody.
    Thread.detachNewThread {
      do {
        try endpoint.checkHost()
      } catch {
        // It may be a host that is still starting.
        if !outcome.isSet { logger.warning("\(error) It is looked for again meanwhile.") }
      }
    }
  }
}
