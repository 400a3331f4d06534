import Foundation

/// Folders of the person who runs the program, as the environment names them.
package enum UserFolder {
  /// What a variable names; nil if it is unset or empty, or no absolute path: relative ones are to
  /// be ignored (XDG Base Directory Specification), since they mean something else in every
  /// working directory.
  private static func named(_ variable: String, in environment: [String: String]) -> String? {
    guard let path = environment[variable], path.hasPrefix("/"),
      // What stands for bytes that are no UTF-8, with which the name is another one.
      !path.unicodeScalars.contains("\u{FFFD}")
    else { return nil }
    return path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// Where what can be made again is kept, such as generated data and graphs:
  /// `$XDG_CACHE_HOME/mrdib`, or `.cache/mrdib` in the home.
  ///
  /// - Parameter home: that the system knows of the user, for an environment that names none.
  /// - Returns: nil where there is no home.
  package static func cache(in environment: [String: String], home: String?) -> String? {
    if let cache = named("XDG_CACHE_HOME", in: environment) { return "\(cache)/mrdib" }
    return (named("HOME", in: environment) ?? home).map { "\($0)/.cache/mrdib" }
  }

  /// Where it is for this process.
  static var cache: String? { cache(in: ProcessInfo.processInfo.environment, home: homeOfUser) }

  /// From the system's list of users.
  private static var homeOfUser: String? {
    guard let user = getpwuid(getuid()), let home = user.pointee.pw_dir,
      let path = String(validatingCString: home)
    else { return nil }
    return path.hasPrefix("/") ? path : nil
  }

  /// Where sockets and other short-lived things may be, best first.
  package static func temporary(in environment: [String: String]) -> [String] {
    ["TMPDIR", "XDG_RUNTIME_DIR"].compactMap { named($0, in: environment) } + ["/tmp"]
  }
}
