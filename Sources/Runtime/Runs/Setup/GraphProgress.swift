import Datasets
import Synchronization

/// The progress of building a model's graphs, on stderr: they can take minutes, before anything
/// else of a run is shown.
final class GraphProgress: Sendable {
  private let progress = Mutex<WorkProgress?>(nil)

  func note(_ event: GraphEvent) {
    switch event {
    case .building(let graph, let share):
      progress.withLock {
        let shown = $0 ?? WorkProgress(isQuiet: false)
        shown.note("building graph \(graph)", .share(share))
        $0 = shown
      }
    case .built:
      // Its line stays.
      progress.withLock { $0 = nil }
    case .loaded, .refused, .notWritten: break
    }
  }
}
