import Datasets
import Synchronization

/// The progress of reading large interactions and building a model's graphs, on stderr: both can
/// take minutes, before anything else of a run is shown.
final class PreparationProgress: Sendable {
  private let progress = Mutex<WorkProgress?>(nil)

  func note(_ event: InteractionCacheEvent) {
    switch event {
    case .preparing(_, let share): show("reading interactions", share)
    case .prepared: end()
    case .loaded, .refused, .notWritten: break
    }
  }

  func note(_ event: GraphEvent) {
    switch event {
    case .building(let graph, let share): show("building graph \(graph)", share)
    case .built: end()
    case .loaded, .refused, .notWritten: break
    }
  }

  private func show(_ stage: String, _ share: Double) {
    progress.withLock {
      let shown = $0 ?? WorkProgress(isQuiet: false)
      shown.note(stage, .share(share))
      $0 = shown
    }
  }

  /// The last line stays.
  private func end() { progress.withLock { $0 = nil } }
}
