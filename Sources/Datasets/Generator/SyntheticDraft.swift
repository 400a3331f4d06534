import Files
internal import Foundation
import Tensors

/// The choices of a large generated data set on disk while it is made, from which a generation that
/// was ended at any moment continues.
///
/// `choices` has the items of the users so far, one list after the other, as `Int32`;
/// `choices.known` what is known of the items at one of the moments since. What `choices` has
/// beyond that moment is drawn again: the same numbers.
final class SyntheticDraft {
  /// Users after whose choices all that is known is saved: seconds of work, and a thousandth of the
  /// bytes that are written anyway.
  static let usersPerSave = 1 << 18

  private static let magic = Array("mrdibGEN".utf8)
  private static let version: UInt32 = 1
  private static let chunkCount = 1 << 16

  private let configuration: SyntheticConfiguration
  private let folder: String
  private let usersPerSave: Int
  private let descriptor: Int32
  private var buffer: [Int32] = []
  /// What an earlier generation of the same data set had saved; nil if there is nothing.
  let found: KnownChoices?
  /// Whether there is something that another generation can continue from.
  private(set) var isSaved: Bool

  private var itemsPath: String { DatasetDescription.path(of: "choices", in: folder) }
  private var knownPath: String { DatasetDescription.path(of: "choices.known", in: folder) }

  /// - Parameter folder: of the draft alone; it exists.
  /// - Throws: ``DatasetError`` if the file of choices cannot be opened or cut.
  init(
    _ configuration: SyntheticConfiguration, in folder: String, usersPerSave: Int
  ) throws(DatasetError) {
    self.configuration = configuration
    self.folder = folder
    self.usersPerSave = usersPerSave
    let items = DatasetDescription.path(of: "choices", in: folder)
    do {
      descriptor = try PlainFile.open(items, .update, permissions: 0o666)
    } catch {
      throw SystemError.writing(items, error)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw DatasetError(
        .unwritable, path: folder,
        "is in use by another generation of the same data set; wait for it, or choose another "
          + "folder")
    }
    var status = stat()
    let saved = Self.read(
      DatasetDescription.path(of: "choices.known", in: folder), configuration)
    let count = saved.map { saved in
      (0..<saved.users).reduce(0) { $0 + configuration.interactionCount(of: $1) }
    }
    if let count, fstat(descriptor, &status) == 0, status.st_size >= count * 4 {
      found = saved
    } else {
      found = nil
    }
    isSaved = found != nil
    let length = found == nil ? 0 : (count ?? 0) * 4
    guard ftruncate(descriptor, off_t(length)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
      throw SystemError.writing(items)
    }
  }

  deinit { close(descriptor) }

  /// Draws what is missing.
  ///
  /// - Parameter report: called with the share of the users that is done, from 0 to 1.
  /// - Returns: the lists of all users, in the file.
  func complete(
    _ choices: SyntheticChoices, report: (Double) throws(DatasetError) -> Void
  ) throws(DatasetError) -> SyntheticLists {
    var next = (found?.users ?? 0) + usersPerSave
    try choices.draw { users throws(DatasetError) in
      if users >= next {
        try save(choices.knownChoices())
        next = users + usersPerSave
      }
      try report(Double(users) / Double(configuration.users))
    } append: { items throws(DatasetError) in
      buffer += items
      if buffer.count >= Self.chunkCount { try flush() }
    }
    // Writing the text takes long, too.
    if isSaved { try save(choices.knownChoices()) } else { try flush() }
    let file = try MappedFile(path: itemsPath)
    let numbers = ReadOnlyArray(file.bytes.bindMemory(to: Int32.self), of: file)
    return SyntheticLists(configuration, items: numbers, added: choices.added())
  }

  private func flush() throws(DatasetError) {
    var done = 0
    let count = buffer.count * 4
    while done < count {
      let written = buffer.withUnsafeBytes { bytes in
        write(descriptor, bytes.baseAddress.map { $0 + done }, count - done)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw SystemError.writing(itemsPath) }
      done += written
    }
    buffer.removeAll(keepingCapacity: true)
  }

  /// The choices are on disk before what is known of them.
  private func save(_ known: KnownChoices) throws(DatasetError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw SystemError.writing(itemsPath) }
    var bytes = Self.magic
    withUnsafeBytes(of: Self.version.littleEndian) { bytes += $0 }
    bytes += [0, 0, 0, 0]
    bytes += Self.source(configuration).utf8
    withUnsafeBytes(of: Int64(known.users).littleEndian) { bytes += $0 }
    known.isChosen.withUnsafeBytes { bytes += $0 }
    known.closest.withUnsafeBytes { bytes += $0 }
    bytes += bytes.withUnsafeBytes { CachedFile.checksum(of: $0) }.utf8
    try AtomicFile.write(bytes, to: knownPath)
    isSaved = true
  }

  /// - Returns: nil if there is no such file, or it is of another data set or damaged.
  private static func read(_ path: String, _ configuration: SyntheticConfiguration) -> KnownChoices?
  {
    let items = configuration.items
    let start = CachedFile.sourceRange.upperBound
    let cached = try? CachedFile(
      path: path, magic: magic, kind: "a draft of a generated data set", version: version,
      source: source(configuration), headerByteCount: start + 8)
    let closestSize = MemoryLayout<ClosestUser>.stride
    guard let content = cached?.content, content.count == start + 8 + items * (1 + closestSize),
      let users = Int(
        exactly: Int64(
          littleEndian: content.loadUnaligned(fromByteOffset: start, as: Int64.self))),
      (0...configuration.users).contains(users)
    else { return nil }
    var known = KnownChoices(items: items)
    known.users = users
    for item in 0..<items { known.isChosen[item] = content[start + 8 + item] != 0 }
    known.closest.withUnsafeMutableBytes { closest in
      closest.copyMemory(from: UnsafeRawBufferPointer(rebasing: content[(start + 8 + items)...]))
    }
    guard known.closest.allSatisfy({ $0.user.map { (0..<users).contains(Int($0)) } ?? true })
    else { return nil }
    return known
  }

  /// A digest of what the choices follow from.
  static func source(_ configuration: SyntheticConfiguration) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    var digest = ContentDigest()
    digest.combine(SyntheticTruth.currentGeneratorVersion)
    digest.combine(String(decoding: (try? encoder.encode(configuration)) ?? Data(), as: UTF8.self))
    return digest.hexadecimal
  }
}
