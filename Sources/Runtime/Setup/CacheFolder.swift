import Foundation

/// Where what can be made again is kept: generated data, graphs.
enum CacheFolder {
  /// `$XDG_CACHE_HOME/mrdib`, or `~/.cache/mrdib`.
  static var path: String {
    let environment = ProcessInfo.processInfo.environment
    if let cache = environment["XDG_CACHE_HOME"], !cache.isEmpty { return "\(cache)/mrdib" }
    return "\(NSHomeDirectory())/.cache/mrdib"
  }
}
