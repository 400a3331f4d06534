import Files
import Foundation

extension S3Bucket {
  /// What a listing found.
  package struct Listing: Sendable, Equatable {
    /// The keys of objects.
    package var keys: [String] = []
    /// The beginnings of keys up to the next slash, if they were asked for.
    package var prefixes: [String] = []
  }

  /// An upload in parts that was begun and not completed.
  package struct Upload: Sendable, Equatable {
    package let key: String
    package let id: String
  }

  /// The most answers to one listing, of up to 1000 keys each.
  private static let mostPages = 1_000

  /// The objects whose keys begin with a prefix, page by page.
  ///
  /// - Parameter byFolder: whether keys with a slash behind the prefix are combined.
  package func list(_ prefix: String, byFolder: Bool = false) throws(S3Error) -> Listing {
    var listing = Listing()
    var token: String?
    for _ in 0..<Self.mostPages {
      var call = Call(method: .get)
      call.query = [("encoding-type", "url"), ("list-type", "2"), ("prefix", prefix)]
      if byFolder { call.query.append(("delimiter", "/")) }
      if let token { call.query.append(("continuation-token", token)) }
      let page = try document(call, named: "ListBucketResult")
      listing.keys += page.all("Contents").compactMap { $0.first("Key").map(Self.decoded) }
      listing.prefixes += page.all("CommonPrefixes").compactMap {
        $0.first("Prefix").map(Self.decoded)
      }
      guard page.first("IsTruncated") == "true" else { return listing }
      let next = page.first("NextContinuationToken")
      guard let next, !next.isEmpty, next != token else {
        throw S3Error(.malformed, "its listing does not end, and has no next page")
      }
      token = next
    }
    throw S3Error(.malformed, "its listing has more than \(Self.mostPages) pages")
  }

  /// The uploads in parts that were begun below a prefix and not completed.
  package func uploads(_ prefix: String) throws(S3Error) -> [Upload] {
    var uploads: [Upload] = []
    var marker: (key: String, id: String)?
    for _ in 0..<Self.mostPages {
      var call = Call(method: .get)
      call.query = [("encoding-type", "url"), ("prefix", prefix), ("uploads", "")]
      if let marker {
        call.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)]
      }
      let page = try document(call, named: "ListMultipartUploadsResult")
      uploads += page.all("Upload").compactMap { upload in
        guard let key = upload.first("Key"), let id = upload.first("UploadId") else { return nil }
        return Upload(key: Self.decoded(key), id: id)
      }
      guard page.first("IsTruncated") == "true" else { return uploads }
      let next = (page.first("NextKeyMarker") ?? "", page.first("NextUploadIdMarker") ?? "")
      guard !next.0.isEmpty, marker.map({ $0 != next }) ?? true else {
        throw S3Error(.malformed, "its listing does not end, and has no next page")
      }
      marker = (Self.decoded(next.0), next.1)
    }
    throw S3Error(.malformed, "its listing has more than \(Self.mostPages) pages")
  }

  /// The answer to a request, which must be a document of this kind.
  func document(_ call: Call, named name: String) throws(S3Error) -> XMLElement {
    let response = try send(call) { (response) throws(S3Error) in
      guard !response.body.isEmpty else { throw Self.cut("no content") }
    }
    let document = try XMLElement(parsing: response.body)
    guard document.name == name else {
      throw S3Error(
        .malformed,
        "its answer is '\(document.name.sanitized())', not '\(name)'; check AWS_ENDPOINT_URL")
    }
    return document
  }

  /// Listings have percent-encoded keys, with `+` for spaces.
  private static func decoded(_ key: String) -> String {
    let spaced = String(key.map { $0 == "+" ? " " : $0 })
    return spaced.removingPercentEncoding ?? key
  }
}
