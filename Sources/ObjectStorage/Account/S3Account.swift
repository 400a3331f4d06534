import Files

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Who signs requests, and where they are sent: read from the variables and files that programs for
/// S3 share.
package struct S3Account: Sendable, Equatable {
  package let accessKey: String
  package let secretKey: String
  /// Of temporary credentials.
  package let sessionToken: String?
  package let region: String
  /// The store's address, if it is not Amazon's; without a slash at its end.
  package let endpoint: String?
  /// A file with the certificates of authorities that vouch for the store.
  let certificates: String?

  /// Reads variables first, then the profile's section of both files.
  ///
  /// - Parameter environment: a variable's value; nil or empty if it is not set.
  /// - Throws: ``S3Error`` `credentials` if there are none, or a value cannot be right.
  package init(
    environment: (String) -> String? = { getenv($0).flatMap { String(validatingCString: $0) } }
  ) throws(S3Error) {
    func variable(_ names: String...) -> String? {
      for name in names {
        if let value = environment(name), !value.isEmpty { return value }
      }
      return nil
    }
    let home = variable("HOME") ?? ""
    let profile = variable("AWS_PROFILE") ?? "default"
    let secrets = ProfileFile(
      path: variable("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials")[profile]
    let settings = ProfileFile(path: variable("AWS_CONFIG_FILE") ?? "\(home)/.aws/config")
    // Sections of the settings are called `profile NAME`, but not the one of the default profile.
    let values = settings[profile == "default" ? profile : "profile \(profile)"]
    func value(_ name: String) -> String? { secrets[name] ?? values[name] }

    if let accessKey = variable("AWS_ACCESS_KEY_ID"),
      let secretKey = variable("AWS_SECRET_ACCESS_KEY")
    {
      (self.accessKey, self.secretKey) = (accessKey, secretKey)
      sessionToken = variable("AWS_SESSION_TOKEN")
    } else if let accessKey = value("aws_access_key_id"),
      let secretKey = value("aws_secret_access_key")
    {
      (self.accessKey, self.secretKey) = (accessKey, secretKey)
      sessionToken = value("aws_session_token")
    } else {
      throw S3Error(
        .credentials,
        "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write "
          + "them into the profile '\(profile.sanitized())' of ~/.aws/credentials, on every "
          + "machine that runs the coordinator or a server")
    }
    region = variable("AWS_REGION", "AWS_DEFAULT_REGION") ?? value("region") ?? "us-east-1"
    var endpoint =
      variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") ?? value("endpoint_url")
    while endpoint?.last == "/" { endpoint?.removeLast() }
    self.endpoint = endpoint
    certificates = variable("AWS_CA_BUNDLE") ?? value("ca_bundle")
    try check()
  }

  private func check() throws(S3Error) {
    guard !region.isEmpty,
      region.utf8.allSatisfy({ "abcdefghijklmnopqrstuvwxyz0123456789-_".utf8.contains($0) })
    else {
      throw S3Error(
        .credentials, "the region is '\(region.sanitized())'; set AWS_REGION, such as us-east-1")
    }
    if let endpoint {
      let scheme = ["https://", "http://"].first { endpoint.hasPrefix($0) }
      guard let scheme, endpoint.utf8.count > scheme.utf8.count,
        endpoint.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), !endpoint.contains("?")
      else {
        throw S3Error(
          .credentials,
          "the store's address is '\(endpoint.sanitized())'; set AWS_ENDPOINT_URL to one like "
            + "https://HOST:PORT")
      }
    }
    // They become part of a header.
    for text in [accessKey, secretKey, sessionToken ?? ""]
    where !text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) {
      throw S3Error(
        .credentials, "the credentials have characters that no key has; copy the key again")
    }
  }

  /// The address of a bucket or an object: the name of the bucket is part of the path with an
  /// endpoint of its own, or if it has dots, which certificates for names below Amazon's do not
  /// cover.
  ///
  /// - Parameters:
  ///   - key: empty for the bucket itself.
  ///   - query: names and values; every value is written with a `=`, in the order of names, as the
  ///     signature needs it.
  package func url(bucket: String, key: String, query: [(name: String, value: String)] = [])
    -> String
  {
    let path = key.isEmpty ? "" : "/" + key.percentEncoded(keepsSlashes: true)
    let address: String
    if let endpoint {
      address = "\(endpoint)/\(bucket)\(path)"
    } else {
      let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
      address =
        bucket.contains(".")
        ? "https://s3.\(region).\(domain)/\(bucket)\(path)"
        : "https://\(bucket).s3.\(region).\(domain)\(path.isEmpty ? "/" : path)"
    }
    guard !query.isEmpty else { return address }
    let pairs = query.map { name, value in
      "\(name.percentEncoded(keepsSlashes: false))=\(value.percentEncoded(keepsSlashes: false))"
    }
    return "\(address)?\(pairs.sorted().joined(separator: "&"))"
  }

  /// For messages: where requests are sent.
  var place: String { endpoint ?? "Amazon S3 in \(region)" }
}

extension String {
  /// With all but the unreserved characters of RFC 3986 percent-encoded, in upper case, as Amazon's
  /// signature version 4 needs it.
  func percentEncoded(keepsSlashes: Bool) -> String {
    let kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8
    let digits = Array("0123456789ABCDEF".unicodeScalars)
    var result = String.UnicodeScalarView()
    for byte in utf8 {
      if kept.contains(byte) || keepsSlashes && byte == UInt8(ascii: "/") {
        result.append(Unicode.Scalar(byte))
      } else {
        result.append("%")
        result.append(digits[Int(byte >> 4)])
        result.append(digits[Int(byte & 15)])
      }
    }
    return String(result)
  }
}
