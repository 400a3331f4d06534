import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The folders of the runs in a folder and its subfolders, level by level. What is below the folder
/// of a run is not searched.
struct RunSearch {
  private(set) var folders: [String] = []
  /// False if there were more subfolders than may be looked at.
  private(set) var isComplete = true

  /// How deep runs are searched: `runs/MODEL-DATASET/TIME`, and those of a sweep.
  private static let depth = 5

  /// - Parameters:
  ///   - folder: where to begin; it may be the folder of a run itself.
  ///   - limit: the most folders that are looked at.
  init(in folder: String, atMost limit: Int) {
    var level = [folder]
    var count = 0
    for _ in 0...Self.depth {
      var next: [String] = []
      for path in level {
        count += 1
        guard count <= limit else {
          isComplete = false
          return
        }
        if ListedRun.isRun(path) {
          folders.append(path)
        } else {
          // A folder that may not be read is passed over, as its runs cannot be read either.
          let names = (try? PlainFile.names(in: path, atMost: limit)) ?? []
          next += names.sorted().map { path == "." ? $0 : "\(path)/\($0)" }.filter(Self.isFolder)
        }
      }
      level = next
    }
  }

  /// Links are not followed: they may lead in a circle.
  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
