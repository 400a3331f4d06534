import Files
import Testing

@Suite struct S3LocationTests {
  @Test("an address has a bucket, and perhaps a prefix without empty parts")
  func parsed() throws {
    let whole = try #require(S3Location("s3://my-bucket"))
    #expect(whole.bucket == "my-bucket" && whole.prefix.isEmpty)
    #expect(whole.key(of: "a/b") == "a/b" && "\(whole)" == "s3://my-bucket")
    let part = try #require(S3Location("s3://my.bucket//runs//one/"))
    #expect(part.bucket == "my.bucket" && part.prefix == "runs/one")
    #expect(part.key(of: "") == "runs/one/" && "\(part)" == "s3://my.bucket/runs/one")
  }

  @Test(
    "what is no address is refused",
    arguments: [
      "", "/s3", "s3:/bucket", "s3://", "s3://a", "s3:///x", "s3://Bucket/x", "s3://bucket-/x",
      "s3://bu..cket", "s3://bucket/../x", "s3://bucket/./x", "s3://bucket/a\nb", "S3://bucket",
      "s3://bucket:80/x", "s3://user@bucket/x", "s3://bucket/" + String(repeating: "x", count: 801),
    ])
  func refused(text: String) {
    #expect(S3Location(text) == nil)
  }
}
