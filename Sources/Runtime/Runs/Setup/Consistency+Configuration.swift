import Configuration
import Settings
import Tables

extension Consistency {
  /// The rule of the settings `consistency` and `staleness_bound`.
  package init(_ configuration: RunConfiguration) {
    switch configuration.training.consistency {
    case .bsp: self = .bulkSynchronous
    case .ssp: self = .staleSynchronous(bound: UInt64(configuration.training.stalenessBound))
    case .async: self = .asynchronous
    }
  }
}
