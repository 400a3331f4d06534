#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Folders under names that nothing else has.
package enum UniqueFolder {
  /// Makes an empty folder of this user alone, named by the prefix and six letters or digits.
  ///
  /// - Returns: its path; nil, with `errno` set, if it cannot be made.
  package static func make(in parent: String, prefix: String) -> String? {
    var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
    return mkdtemp(&template).map { String(cString: $0) }
  }
}
