import Files

/// Why an object store did not do what was asked.
package struct S3Error: Error, Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    /// There is no such object.
    case noObject
    /// There is no such bucket.
    case noBucket
    /// Credentials, region or endpoint are missing or cannot be right.
    case credentials
    /// The store refuses the request; a retry would not help.
    case refused
    /// The store cannot be reached, is overloaded or failed.
    case unavailable
    /// The answer is none of the protocol.
    case malformed
    /// The object was replaced while it was read.
    case replaced
  }

  package let kind: Kind
  /// What was found and what to do, to follow `Cannot write 's3://…': `.
  package let reason: String
  /// The store's own code for an error; nil if the error is not the store's.
  let code: String?

  package var description: String { reason }

  init(_ kind: Kind, _ reason: String, code: String? = nil) {
    self.kind = kind
    self.reason = reason
    self.code = code
  }

  /// The error of an answer whose status is none of success.
  ///
  /// - Parameter place: where the request was sent.
  init(_ response: HTTPResponse, from place: String) {
    // The answer to HEAD has no body.
    let document = response.body.isEmpty ? nil : try? XMLElement(parsing: response.body)
    let code = document?.first("Code")?.sanitized()
    let message = document?.first("Message")?.sanitized(atMost: 160)
    let kind = Self.kind(ofStatus: response.status, code)
    let found =
      "HTTP \(response.status)" + (code.map { ", \($0)" } ?? "")
      + (message.map { " (\($0))" } ?? "") + " from \(place.sanitized(atMost: 120))"
    let advice = Self.advice(kind, status: response.status, code)
    self.init(kind, advice.map { "\(found); \($0)" } ?? found, code: code)
  }

  private static func kind(ofStatus status: Int, _ code: String?) -> Kind {
    switch (status, code) {
    case (_, "NoSuchBucket"): .noBucket
    case (404, "NoSuchKey"), (404, nil): .noObject
    case (412, _): .replaced
    case (408, _), (429, _), (500..., _), (_, "RequestTimeout"), (_, "SlowDown"): .unavailable
    case (200..<300, _): code == nil ? .malformed : .unavailable
    default: .refused
    }
  }

  private static func advice(_ kind: Kind, status: Int, _ code: String?) -> String? {
    switch code {
    case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken",
      "MissingSecurityHeader", "InvalidClientTokenId":
      return "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the profile in "
        + "~/.aws/credentials), which may have expired"
    case "RequestTimeTooSkewed": return "set the clock of this machine"
    case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed":
      return "set AWS_REGION to the region of the bucket"
    default: break
    }
    switch kind {
    case .noBucket: return "create the bucket, or correct checkpoint_folder"
    case .unavailable: return "the store is overloaded or down"
    case .replaced: return "the object was replaced while it was read"
    case .refused where [301, 307, 308].contains(status):
      return "set AWS_REGION to the region of the bucket"
    case .refused where [401, 403].contains(status):
      return "check the credentials, and that they allow s3:ListBucket, "
        + "s3:ListBucketMultipartUploads, s3:GetObject, s3:PutObject, s3:DeleteObject and "
        + "s3:AbortMultipartUpload there"
    default: return nil
    }
  }
}
