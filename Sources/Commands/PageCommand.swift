import ArgumentParser
import Foundation
import Runtime
import Web

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

struct PageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "page",
    abstract: "Serve a page of the runs in a folder, side by side, from their files.",
    discussion: """
      The folder is that of a sweep, of several runs, or of one; runs may be under way, dead or
      finished. The page reads files only, so that it can run on another machine that has them. A
      run that is trained with --page has a page of its own, which also shows its workers and
      servers. Ctrl-C ends it.

        mrdib page runs/sweep --listen 8090
      """)

  @Argument(help: "The folder of a run, of a sweep, or of several runs.", completion: .directory)
  var folder: String

  @Option(
    help: ArgumentHelp(
      "The address of the page: HOST:PORT, or a PORT of this machine alone; 0 is a free one.",
      valueName: "address"))
  var listen = "8090"

  @OptionGroup var protection: PageTokenOptions

  @Flag(help: "Print warnings and errors only.")
  var quiet = false

  func run() throws {
    try reporting {
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
        isFolder.boolValue
      else {
        throw RuntimeError(
          exitCode: .inputMissing,
          message: "Cannot show the runs in '\(folder)': there is no such folder. Name the folder "
            + "of a run or a sweep.")
      }
      let signals = try SignalPipe.untilExit()
      let server = try PageOptions.serve(
        PageOptions.source(WatchedFolder(path: folder)), at: listen,
        tokenFile: protection.pageToken,
        isQuiet: quiet)
      defer { server.stop() }
      while signals.next() == nil { signals.wait(seconds: 60) }
    }
  }
}
