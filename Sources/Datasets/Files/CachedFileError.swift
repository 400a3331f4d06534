/// Why a file of the cache cannot be read (the words after "it") or written (the reason alone).
package struct CachedFileError: Error, Equatable {
  package let message: String
}
