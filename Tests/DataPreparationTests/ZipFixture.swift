import CZip
import DataPreparation
import Foundation

/// Makes zip archives, as `np.savez` and `np.savez_compressed` do.
enum ZipFixture {
  struct Failure: Error {}

  static func write(_ members: [String: [UInt8]], to path: String, isPacked: Bool) throws {
    try? FileManager.default.removeItem(atPath: path)
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_CREATE, &code) else { throw Failure() }
    for (name, bytes) in members.sorted(by: { $0.key < $1.key }) {
      // The archive reads the bytes when it is closed, and frees them.
      let copy = malloc(bytes.count)
      bytes.withUnsafeBytes { content in
        if let base = content.baseAddress { copy?.copyMemory(from: base, byteCount: content.count) }
      }
      guard let source = zip_source_buffer(archive, copy, UInt64(bytes.count), 1) else {
        throw Failure()
      }
      let index = zip_file_add(archive, name, source, 0)
      guard index >= 0 else { throw Failure() }
      let method = isPacked ? ZIP_CM_DEFLATE : ZIP_CM_STORE
      zip_set_file_compression(archive, UInt64(index), Int32(method), 0)
    }
    guard zip_close(archive) == 0 else { throw Failure() }
  }
}
