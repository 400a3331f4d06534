import Runtime
import Testing

@Suite struct UserFolderTests {
  @Test(
    "the cache is in the folder that the environment names; relative paths are ignored",
    arguments: [
      (["XDG_CACHE_HOME": "/c", "HOME": "/h"], "/c/mrdib"),
      (["XDG_CACHE_HOME": "/c/"], "/c/mrdib"),
      (["XDG_CACHE_HOME": "", "HOME": "/h"], "/h/.cache/mrdib"),
      (["XDG_CACHE_HOME": "c", "HOME": "/h"], "/h/.cache/mrdib"),
      (["XDG_CACHE_HOME": "/\u{FFFD}", "HOME": "/h"], "/h/.cache/mrdib"),
      (["HOME": "/"], "/.cache/mrdib"), (["HOME": "h"], "/u/.cache/mrdib"),
      (["HOME": ""], "/u/.cache/mrdib"), ([:], "/u/.cache/mrdib"),
    ])
  func cache(_ environment: [String: String], _ path: String) {
    #expect(UserFolder.cache(in: environment, home: "/u") == path)
  }

  @Test("a user without a home has no cache")
  func noHome() {
    #expect(UserFolder.cache(in: ["HOME": "relative"], home: nil) == nil)
  }

  @Test("sockets are in the folder that the environment names, or in /tmp")
  func temporary() {
    #expect(UserFolder.temporary(in: [:]) == ["/tmp"])
    #expect(
      UserFolder.temporary(in: ["TMPDIR": "/t/", "XDG_RUNTIME_DIR": "/run/user/1"])
        == ["/t", "/run/user/1", "/tmp"])
    #expect(UserFolder.temporary(in: ["TMPDIR": "t"]) == ["/tmp"])
  }
}
