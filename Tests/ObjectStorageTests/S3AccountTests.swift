import ObjectStorage
import TestSupport
import Testing

@Suite("Accounts of object stores")
struct S3AccountTests {
  private static let keys = ["AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"]

  private static func account(_ values: [String: String]) throws -> S3Account {
    try S3Account { values[$0] }
  }

  @Test("variables come before files, and the more specific ones first")
  func variables() throws {
    let folder = try TemporaryFolder()
    try folder.write("[default]\naws_access_key_id = other\naws_secret_access_key = x\n", to: "c")
    var values = Self.keys
    values["AWS_SHARED_CREDENTIALS_FILE"] = folder.path("c")
    values["AWS_DEFAULT_REGION"] = "us-west-2"
    values["AWS_ENDPOINT_URL"] = "http://one:1"
    let account = try Self.account(values)
    #expect(account.accessKey == "id" && account.sessionToken == nil)
    #expect(account.region == "us-west-2" && account.endpoint == "http://one:1")
    values["AWS_REGION"] = "eu-west-1"
    values["AWS_ENDPOINT_URL_S3"] = "http://two:2//"
    values["AWS_SESSION_TOKEN"] = "token"
    let other = try Self.account(values)
    #expect(other.region == "eu-west-1" && other.endpoint == "http://two:2")
    #expect(other.sessionToken == "token")
  }

  @Test("files have a section for every profile")
  func files() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      # a comment
      [default]
      aws_access_key_id=one
      aws_secret_access_key = first
      [ team ]
      aws_access_key_id = two
      AWS_SECRET_ACCESS_KEY =  se=cond
      aws_session_token = t
      """, to: "credentials")
    try folder.write(
      """
      [default]
      region = eu-north-1
      s3 =
        endpoint_url = http://nested:1
      [profile team]
      region = ap-south-1
      endpoint_url = https://store:9000/
      """, to: "config")
    var values = [
      "AWS_SHARED_CREDENTIALS_FILE": folder.path("credentials"),
      "AWS_CONFIG_FILE": folder.path("config"),
    ]
    let first = try Self.account(values)
    #expect(first.accessKey == "one" && first.secretKey == "first" && first.endpoint == nil)
    #expect(first.region == "eu-north-1")
    values["AWS_PROFILE"] = "team"
    let second = try Self.account(values)
    #expect(second.accessKey == "two" && second.secretKey == "se=cond")
    #expect(second.sessionToken == "t" && second.region == "ap-south-1")
    #expect(second.endpoint == "https://store:9000")
  }

  @Test(
    "what is missing or cannot be right has a sentence",
    arguments: [
      ([:], "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
      (["AWS_PROFILE": "team"], "profile 'team'"),
      (["AWS_REGION": "us east"], "AWS_REGION"), (["AWS_REGION": "us:s3"], "AWS_REGION"),
      (["AWS_ENDPOINT_URL": "store:9000"], "https://HOST:PORT"),
      (["AWS_ENDPOINT_URL": "http://"], "https://HOST:PORT"),
      (["AWS_ENDPOINT_URL": "http://a b"], "https://HOST:PORT"),
      (["AWS_SECRET_ACCESS_KEY": "a\r\nb"], "copy the key again"),
    ] as [([String: String], String)])
  func refused(values: [String: String], part: String) throws {
    let keys = values.isEmpty || values["AWS_PROFILE"] != nil ? [:] : Self.keys
    let found = try #require(throws: S3Error.self) {
      try Self.account(
        keys.merging(values) { $1 }.merging(["HOME": "/nowhere"]) { first, _ in first })
    }
    #expect(found.kind == .credentials && found.reason.contains(part), "\(found)")
  }

  @Test("the bucket is part of the host at Amazon, and of the path elsewhere")
  func urls() throws {
    var values = Self.keys
    let amazon = try Self.account(values)
    #expect(
      amazon.url(bucket: "runs", key: "a b/ü+~.x", query: [("z", ""), ("a", "1/2")])
        == "https://runs.s3.us-east-1.amazonaws.com/a%20b/%C3%BC%2B~.x?a=1%2F2&z=")
    #expect(
      amazon.url(bucket: "my.runs", key: "k") == "https://s3.us-east-1.amazonaws.com/my.runs/k")
    #expect(amazon.url(bucket: "runs", key: "") == "https://runs.s3.us-east-1.amazonaws.com/")
    values["AWS_ENDPOINT_URL"] = "http://host:9000/store/"
    let own = try Self.account(values)
    #expect(own.url(bucket: "runs", key: "k") == "http://host:9000/store/runs/k")
  }
}
