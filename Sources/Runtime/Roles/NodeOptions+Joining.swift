import Logging
import Transport

extension NodeOptions {
  /// Where a process looks for its coordinator, and for how long.
  var searchSentence: String {
    "looking for the coordinator at \(coordinator), for \(Int(joinTimeout)) s at most"
  }

  /// Says at once if the coordinator's host has no address: libzmq would ask for it again and again
  /// without a word.
  ///
  /// Blocks while the system looks the name up.
  func warnOfUnknownHost(_ logger: Logger) {
    // One that is malformed is refused when it is connected to.
    guard let endpoint = try? Endpoint(coordinator) else { return }
    do {
      try endpoint.checkHost()
    } catch {
      // It may be a host that is still starting.
      logger.warning("\(error.message) It is looked for again meanwhile.")
    }
  }
}
