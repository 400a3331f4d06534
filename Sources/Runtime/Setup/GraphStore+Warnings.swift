import Datasets
import Graphs

extension GraphStore {
  /// A line a minute at most: a folder that cannot be written says the same of every graph.
  private static let log = RateLimitedLog(label: "mrdib.graphs", limit: RateLimit(lines: 1))

  /// The graphs of a data set, kept in the cache folder. People are told of files there that
  /// cannot be used or written: the run is right without them, but every start takes longer.
  static func keptOnDisk(of dataset: Dataset) -> GraphStore {
    GraphStore(dataset: dataset, cacheFolder: UserFolder.cache.map { "\($0)/graphs" }) { event in
      switch event {
      case .refused, .notWritten: log.warning("\(event)")
      case .built, .loaded: break
      }
    }
  }
}
