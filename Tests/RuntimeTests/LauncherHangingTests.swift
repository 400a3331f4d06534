import Foundation
import Runtime
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Signs of life of real processes. One suite with the others: a process can have one `SignalPipe`.
extension LauncherTests {
  /// Gives signs of life until its file is there, then none any more. Another file tells of the
  /// first one.
  private static let falters = """
    while [ ! -e "$1" ]; do printf x >&$MRDIB_LIFELINE; touch "$1-began"; sleep 0.05; done
    sleep 1000
    """

  /// Its next life tells that it has begun.
  private func faltering(
    _ name: String, until file: String, over: String
  ) -> ChildSpecification {
    ChildSpecification(
      name: name, role: "server", executable: "/bin/bash",
      arguments: ["-c", Self.falters, "bash", file],
      restartArguments: ["-c", "touch \(over); sleep 100"])
  }

  @Test("a child that falls silent is killed and comes back; one that never spoke is left alone")
  func fallsSilent() throws {
    let folder = try TemporaryFolder()
    let (silent, over) = ("\(folder.path)/silent", "\(folder.path)/over")
    let launcher = LocalLauncher(
      logDirectory: folder.path, limits: .init(grace: 0.5, stop: 5, settle: 0.2, hang: 1),
      policy: RestartPolicy(limit: 3, firstDelay: 0.02))
    var told: [LaunchNotice] = []
    let report = try launcher.run(
      [
        shell(
          "coordinator",
          "until [ -e \(silent)-began ]; do sleep 0.02; done; touch \(silent);"
            + "until [ -e \(over) ]; do sleep 0.02; done", isLeader: true),
        faltering("server-0", until: silent, over: over), shell("mute", "sleep 100"),
      ], signals: SignalPipe(), announce: { told.append($0) })
    #expect(report.exitCode == .success)
    guard case .hangs(let name, let silence) = try #require(told.first) else {
      Issue.record("\(told)")
      return
    }
    #expect(name == "server-0" && silence >= 1)
    #expect(
      told.first?.sentence.hasPrefix("server-0 hangs: no sign of life for ") == true, "\(told)")
    #expect(told.count == 2)
    #expect(report.children[1].restarts == 1)
  }
}
