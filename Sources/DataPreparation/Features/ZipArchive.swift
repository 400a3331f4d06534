import CZip
import Datasets
import Files

/// A zip archive that is read member by member (libzip).
final class ZipArchive {
  /// Far more than an npz file has.
  private static let mostMembers = 1024

  struct Member {
    let index: UInt64
    let name: String
    /// Unpacked.
    let byteCount: Int
  }

  let path: String
  private let archive: OpaquePointer
  private(set) var members: [Member] = []

  /// - Throws: ``DatasetError`` if the file is no archive, or a damaged one.
  init(path: String) throws(DatasetError) {
    self.path = path
    do {
      try PlainFile.check(path)
    } catch {
      throw DatasetError(.unreadable, path: path, "cannot be read: \(error.reason)")
    }
    var code: Int32 = 0
    guard let archive = zip_open(path, ZIP_RDONLY, &code) else {
      var error = zip_error_t()
      zip_error_init_with_code(&error, code)
      defer { zip_error_fini(&error) }
      let reason = String(cString: zip_error_strerror(&error))
      throw DatasetError(
        .malformed, path: path,
        "cannot be read as a zip archive: \(reason.sanitized(atMost: 120)); copy or export it "
          + "again")
    }
    self.archive = archive
    let count = zip_get_num_entries(archive, 0)
    guard count >= 0, count <= Self.mostMembers else {
      throw DatasetError(
        .malformed, path: path, "has \(count) members; at most \(Self.mostMembers) are read")
    }
    for index in 0..<UInt64(count) {
      var status = zip_stat_t()
      let isKnown = zip_stat_index(archive, index, 0, &status) == 0
      guard isKnown, let name = status.name.flatMap({ String(validatingCString: $0) }),
        let byteCount = Int(exactly: status.size)
      else { throw DatasetError(.malformed, path: path, "has a damaged list of members") }
      members.append(Member(index: index, name: name, byteCount: byteCount))
    }
  }

  deinit { zip_discard(archive) }

  /// Begins to unpack a member.
  ///
  /// - Throws: ``DatasetError`` if it is encrypted, or packed in an unknown way.
  func open(_ member: Member) throws(DatasetError) -> Reading {
    guard let file = zip_fopen_index(archive, member.index, 0) else {
      let reason = String(cString: zip_strerror(archive)).sanitized(atMost: 120)
      throw DatasetError(
        .malformed, path: path, "cannot unpack '\(member.name.sanitized())': \(reason)")
    }
    return Reading(file, member: member, path: path)
  }

  /// A member that is unpacked from its beginning on. The archive must live longer.
  final class Reading {
    private let file: OpaquePointer
    private let member: Member
    private let path: String

    fileprivate init(_ file: OpaquePointer, member: Member, path: String) {
      self.file = file
      self.member = member
      self.path = path
    }

    deinit { zip_fclose(file) }

    /// Fills a buffer.
    ///
    /// - Throws: ``DatasetError`` if the member is damaged or ends before.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) {
      var done = 0
      while done < buffer.count {
        let count = zip_fread(
          file, buffer.baseAddress.map { $0 + done }, zip_uint64_t(buffer.count - done))
        guard count > 0 else {
          throw DatasetError(
            .malformed, path: path,
            "is damaged: '\(member.name.sanitized())' ends or cannot be unpacked after some of its "
              + "\(member.byteCount) bytes; copy or export it again")
        }
        done += Int(count)
      }
    }

    /// Checks the member's checksum, which is known to be right only at its end.
    ///
    /// - Throws: ``DatasetError`` if the member is damaged or has more bytes.
    func finish() throws(DatasetError) {
      var rest: UInt8 = 0
      guard zip_fread(file, &rest, 1) == 0 else {
        throw DatasetError(
          .malformed, path: path,
          "is damaged: '\(member.name.sanitized())' does not match its checksum or its size; copy "
            + "or export it again")
      }
    }
  }
}
