import Foundation
import TestSupport
import Testing

/// `scripts/install` and `scripts/man-pages`.
@Suite struct InstallTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("scripts/install").path

  private static func install(_ prefix: String, _ options: String...) throws -> Command {
    try Command(
      executable: script, ["--prefix", prefix] + options, ["MRDIB_PROGRAM": Command.path])
  }

  /// All files below a folder, relative to it.
  private static func files(_ folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: "\(folder)/\($0)", isDirectory: &isFolder)
      return exists && !isFolder.boolValue
    }.sorted()
  }

  @Test("installs program, completions and man pages; again the same; and removes them, no others")
  func install() throws {
    let folder = try TemporaryFolder()
    let prefix = folder.path("pre fix")
    let first = try Self.install(prefix)
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("installed mrdib"))
    let installed = Self.files(prefix)
    for name in [
      "bin/mrdib", "share/bash-completion/completions/mrdib", "share/zsh/site-functions/_mrdib",
      "share/fish/vendor_completions.d/mrdib.fish", "share/man/man1/mrdib.1",
      "share/man/man1/mrdib-data-stats.1",
    ] {
      #expect(installed.contains(name), "\(name)")
    }
    let program = try Command(executable: "\(prefix)/bin/mrdib", ["--version"], [:])
    #expect(program.status == 0 && !program.output.isEmpty)
    // Pages of one version of the program that the next one does not have.
    let list = "pre fix/share/mrdib/installed"
    let text = String(decoding: try folder.bytes(list), as: UTF8.self)
    try folder.write(text + "share/man/man1/mrdib-old.1\n../kept\n", to: list)
    try folder.write("", to: "pre fix/share/man/man1/mrdib-old.1")
    try folder.write("", to: "kept")
    try folder.write("", to: "pre fix/bin/other")
    #expect(try Self.install(prefix).status == 0)
    #expect(Self.files(prefix) == (installed + ["bin/other"]).sorted())
    let removed = try Self.install(prefix, "--uninstall")
    #expect(removed.status == 0 && removed.output.contains("removed"))
    #expect(Self.files(prefix) == ["bin/other"] && Self.files(folder.path).contains("kept"))
    #expect(try Self.install(prefix, "--uninstall").output.contains("nothing is installed"))
    #expect(try Self.install(prefix, "--what").status == 64)
  }

  @Test("the man pages have a section per part of the help, and nothing that roff warns of")
  func manPages() throws {
    let folder = try TemporaryFolder()
    let made = try Command(
      bash: """
        "$@" --experimental-dump-help | "\(Self.script.replacing("install", with: "man-pages"))" \
        1.2 "\(folder.path)"
        """, arguments: [])
    #expect(made.status == 0, "\(made.errors)")
    let page = String(decoding: try folder.bytes("mrdib-recommend.1"), as: UTF8.self)
    for part in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH OPTIONS", "\\-\\-users"] {
      #expect(page.contains(part), "\(part)")
    }
    #expect(page.contains("mrdib 1.2"))
    #expect(Self.files(folder.path).allSatisfy { $0.hasPrefix("mrdib") && $0.hasSuffix(".1") })
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/groff") else { return }
    let checked = try Command(
      executable: "/bin/bash",
      [
        "-c", "for page in \"$0\"/*.1; do groff -man -Tutf8 -ww -z \"$page\" || exit 1; done",
        folder.path,
      ],
      [:])
    #expect(checked.status == 0 && checked.errors.isEmpty, "\(checked.errors)")
  }
}
