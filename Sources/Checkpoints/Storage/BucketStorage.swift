import Files
import ObjectStorage
import Tensors

/// Checkpoints in an object store. Objects have no folders and are not renamed: each appears as a
/// whole with its last request, and the manifest, written last, completes a checkpoint.
package struct BucketStorage: CheckpointStorage {
  private let location: S3Location
  private let bucket: S3Bucket

  /// Largest size of a small file in bytes.
  private static let mostBytes = 16 << 20

  init(_ location: S3Location) { self.init(location, S3Bucket(location.bucket)) }

  /// - Parameter bucket: the location's.
  package init(_ location: S3Location, _ bucket: S3Bucket) {
    self.location = location
    self.bucket = bucket
  }

  package var folder: String { "\(location)" }

  package func names() throws(CheckpointError) -> [CheckpointName] {
    let root = location.key(of: "")
    return try explained("list '\(folder)'") { () throws(S3Error) in
      try bucket.list(root, byFolder: true).prefixes.compactMap { prefix in
        CheckpointName(folder: String(prefix.dropFirst(root.count).dropLast()))
      }
    }
  }

  package func open(_ file: String) throws(CheckpointError) -> any ReadableFile {
    try explained("read '\(path(of: file))'") { () throws(S3Error) in
      BucketFile(reader: try S3ObjectReader(location.key(of: file), in: bucket))
    }
  }

  package func byteCount(of file: String) throws(CheckpointError) -> Int {
    try explained("read '\(path(of: file))'") { () throws(S3Error) in
      try bucket.object(location.key(of: file)).byteCount
    }
  }

  package func writer(
    of file: String, in name: CheckpointName, byteCount: Int
  ) throws(CheckpointError) -> any FileWriter {
    BucketFileWriter(
      S3Upload(to: location.key(of: file), byteCount: byteCount, in: bucket),
      purpose: "write '\(path(of: file))'")
  }

  /// A folder is nothing of its own.
  package func makePlace(of name: CheckpointName) {}

  package func write(_ bytes: [UInt8], to file: String) throws(CheckpointError) {
    try explained("write '\(path(of: file))'", isReading: false) { () throws(S3Error) in
      try bucket.put(bytes, to: location.key(of: file))
    }
  }

  package func delete(_ file: String) throws(CheckpointError) {
    try explained("delete '\(path(of: file))'", isReading: false) { () throws(S3Error) in
      try bucket.delete(location.key(of: file))
    }
  }

  package func deleteFiles(of name: CheckpointName) throws(CheckpointError) {
    try explained("delete '\(path(of: name.folder))'", isReading: false) { () throws(S3Error) in
      for key in try bucket.list(location.key(of: "\(name.folder)/")).keys {
        try bucket.delete(key)
      }
    }
  }

  /// A folder is nothing of its own.
  package func deleteEmpty(_ name: CheckpointName) {}

  /// Stores keep the parts of uploads that were begun, and charge for them, until they are asked to
  /// delete them.
  package func deleteUnfinished(through newest: CheckpointName) throws(CheckpointError) {
    let root = location.key(of: "")
    try explained("delete unfinished uploads in '\(folder)'", isReading: false) {
      () throws(S3Error) in
      for upload in try bucket.uploads(root) {
        let folder = upload.key.dropFirst(root.count).prefix { $0 != "/" }
        guard let name = CheckpointName(folder: String(folder)), name <= newest else { continue }
        try bucket.abort(upload)
      }
    }
  }

  /// Writes an object and deletes it, because what the credentials allow cannot be asked.
  package func prepare() throws(CheckpointError) {
    let key = location.key(of: "mrdib-write-test")
    // The user waits for the answer.
    let bucket = S3Bucket(location.bucket, patience: .init(reading: 10, writing: 10))
    try explained("write checkpoints into '\(folder)'", isReading: false) { () throws(S3Error) in
      try bucket.put(Array("mrdib".utf8), to: key)
      _ = try bucket.list(key)
      try bucket.delete(key)
    }
  }
}

/// An object that is read as a file.
private struct BucketFile: ReadableFile {
  let reader: S3ObjectReader

  func byteCount(purpose: String) -> Int { reader.byteCount }

  func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int, purpose: String
  ) throws(CheckpointError) -> Int {
    try explained(purpose) { () throws(S3Error) in try reader.read(into: buffer, at: offset) }
  }
}

/// Writes an object as a file.
private final class BucketFileWriter: FileWriter {
  private let upload: S3Upload
  private let purpose: String
  private var digest = ByteDigest()
  private var byteCount = 0

  init(_ upload: S3Upload, purpose: String) {
    self.upload = upload
    self.purpose = purpose
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
    digest.append(bytes)
    byteCount += bytes.count
    try explained(purpose, isReading: false) { () throws(S3Error) in try upload.append(bytes) }
  }

  func finish() throws(CheckpointError) -> FileContent {
    try explained(purpose, isReading: false) { () throws(S3Error) in try upload.finish() }
    return FileContent(byteCount: byteCount, digest: digest.text)
  }
}

/// Gives the errors of an object store their purpose.
private func explained<Result>(
  _ purpose: String, isReading: Bool = true, _ body: () throws(S3Error) -> Result
) throws(CheckpointError) -> Result {
  do throws(S3Error) {
    return try body()
  } catch {
    let code: CheckpointError.Code =
      switch error.kind {
      case .noObject: .missing
      case .replaced: .damaged
      case .noBucket: isReading ? .missing : .cannotCreate
      case .credentials, .refused: isReading ? .inputOutput : .cannotCreate
      case .unavailable, .malformed: .inputOutput
      }
    throw CheckpointError(code, "Cannot \(purpose): \(error.reason).")
  }
}
