import Foundation

/// The user's folders, from the environment.
package enum UserFolder {
  /// The path in a variable; nil if it is unset, empty or relative. Relative paths must be ignored
  /// (XDG Base Directory Specification), because their meaning depends on the working directory.
  private static func named(_ variable: String, in environment: [String: String]) -> String? {
    guard let path = environment[variable], path.hasPrefix("/"),
      // Stands for bytes that are not UTF-8; the path would name another folder.
      !path.unicodeScalars.contains("\u{FFFD}")
    else { return nil }
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// The cache for data and graphs that can be generated again: `$XDG_CACHE_HOME/mrdib`, or
  /// `.cache/mrdib` in the home directory.
  ///
  /// - Parameter home: the home directory of the system's user list, if `HOME` is not set.
  /// - Returns: nil if there is no home directory.
  package static func cache(in environment: [String: String], home: String?) -> String? {
    if let cache = named("XDG_CACHE_HOME", in: environment) { return "\(cache)/mrdib" }
    return (named("HOME", in: environment) ?? home).map { "\($0)/.cache/mrdib" }
  }

  /// The cache of this process.
  static var cache: String? { cache(in: ProcessInfo.processInfo.environment, home: homeOfUser) }

  /// The home directory in the system's list of users.
  private static var homeOfUser: String? {
    guard let user = getpwuid(getuid()), let home = user.pointee.pw_dir,
      let path = String(validatingCString: home)
    else { return nil }
    return path.hasPrefix("/") ? path : nil
  }

  /// Folders for sockets and temporary files, the preferred one first.
  package static func temporary(in environment: [String: String]) -> [String] {
    ["TMPDIR", "XDG_RUNTIME_DIR"].compactMap { named($0, in: environment) } + ["/tmp"]
  }
}
