import Configuration
import Files
import Foundation
import Synchronization
import Transport

/// The runs in a folder, read from their files: of a sweep, a comparison, or one run. A run is read
/// again when its records have changed, and no more than once a second.
package final class WatchedFolder: Sendable {
  /// The most runs that are listed.
  package static let runLimit = 200
  /// The most folders that are looked at.
  private static let folderLimit = 5_000
  /// How old what is shown may be, seconds.
  private static let freshness = 1.0

  private struct Read {
    /// Size and time of the files that it was read from, and whether a process owns the run.
    var mark: [String]
    var overview: RunOverview?
    var settings: [String: String] = [:]
    var problem = ""
  }

  private struct State {
    var reads: [String: Read] = [:]
    var leftOut = 0
    var refreshedAt = -Double.infinity
  }

  private let path: String
  private let state = Mutex(State())

  package init(path: String) { self.path = path }

  /// All runs.
  package func listing() -> PageListing {
    let (reads, leftOut) = state.withLock { state in
      refresh(&state)
      return (state.reads, state.leftOut)
    }
    let keys = reads.keys.sorted()
    let different = Self.differences(
      keys.compactMap { key in reads[key].flatMap { $0.overview == nil ? nil : $0.settings } })
    let title = URL(fileURLWithPath: FilePath.absolute(path)).lastPathComponent
    return PageListing(
      title: title.sanitized(), isLive: false,
      runs: keys.compactMap { key in
        guard let read = reads[key], let overview = read.overview else { return nil }
        return PageListing.Entry(
          overview, key: key, settings: read.settings.filter { different.contains($0.key) })
      },
      problems: keys.compactMap { key in
        guard let read = reads[key], !read.problem.isEmpty else { return nil }
        return PageListing.Problem(key: key, message: read.problem)
      }, leftOut: leftOut)
  }

  /// - Parameters:
  ///   - key: as the listing has it.
  ///   - epoch: the first that the overview has.
  /// - Returns: nil if the listing has no such run.
  package func overview(of key: String, since epoch: UInt32 = 0) -> RunOverview? {
    let read = state.withLock { state in
      refresh(&state)
      return state.reads[key]
    }
    guard var overview = read?.overview else { return nil }
    overview.epochs.removeAll { $0.epoch < epoch }
    return overview
  }

  // MARK: Reading

  private func refresh(_ state: inout State) {
    let now = MonotonicClock.seconds
    guard now - state.refreshedAt >= Self.freshness else { return }
    let (keys, leftOut) = runs()
    state.leftOut = leftOut
    state.reads = state.reads.filter { keys.contains($0.key) }
    for key in keys {
      let mark = mark(of: key)
      if let known = state.reads[key], known.mark == mark { continue }
      state.reads[key] = read(key, mark: mark)
    }
    // After reading: a slow disk is not read all the time.
    state.refreshedAt = MonotonicClock.seconds
  }

  private func directory(_ key: String) -> RunDirectory {
    RunDirectory(existing: key.isEmpty ? path : "\(path)/\(key)")
  }

  private func read(_ key: String, mark: [String]) -> Read {
    do {
      let (overview, configuration) = try RunOverview.read(directory(key))
      let settings = Dictionary(
        configuration.decisiveSettings.map { ($0.name, $0.value) },
        uniquingKeysWith: { _, last in last })
      return Read(mark: mark, overview: overview, settings: settings)
    } catch {
      return Read(mark: mark, problem: "\(error)".withoutControlCharacters())
    }
  }

  private func mark(of key: String) -> [String] {
    let run = directory(key)
    let files = [run.storePath, run.storePath + "-wal", run.summaryPath, run.eventsPath]
    let stamps = files.map { file -> String in
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      let date = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      return "\(date) \(attributes?[.size] as? Int ?? -1)"
    }
    return stamps + ["\(RunLockHolder(ofRunIn: run.path) != .none)"]
  }

  /// The folders of runs, relative to this one, and how many were left out.
  private func runs() -> (keys: [String], leftOut: Int) {
    let keys = RunSearch(in: path, atMost: Self.folderLimit).folders
      .filter { FileManager.default.fileExists(atPath: RunDirectory(existing: $0).storePath) }
      .map { $0 == path ? "" : String($0.dropFirst(path == "." ? 0 : path.count + 1)) }
    return (Array(keys.prefix(Self.runLimit)), max(0, keys.count - Self.runLimit))
  }

  /// The names of settings that are not the same in all runs.
  private static func differences(_ all: [[String: String]]) -> Set<String> {
    let names = Set(all.flatMap(\.keys))
    return names.filter { name in Set(all.map { $0[name] ?? "" }).count > 1 }
  }
}
