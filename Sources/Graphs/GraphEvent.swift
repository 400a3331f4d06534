/// What happened to a graph that is kept on disk; worth a line in a log.
public enum GraphEvent: Sendable, Equatable, CustomStringConvertible {
  case built(graph: String, entryCount: Int, duration: Duration)
  case loaded(path: String)
  /// The file was left alone until the rebuilt graph replaced it.
  case refused(path: String, reason: String)
  /// The run goes on without the file.
  case notWritten(path: String, reason: String)

  public var description: String {
    switch self {
    case .built(let graph, let entryCount, let duration):
      let seconds = (duration / .milliseconds(10)).rounded() / 100
      return "Built graph \(graph) with \(entryCount) entries in \(seconds) s."
    case .loaded(let path):
      return "Read graph from '\(path)'."
    case .refused(let path, let reason):
      return "Cannot use the stored graph '\(path)': it \(reason). It is built again and replaced."
    case .notWritten(let path, let reason):
      return "Cannot store the graph in '\(path)': \(reason). The next start builds it again."
    }
  }
}
