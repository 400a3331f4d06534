import Foundation
import Runtime
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Life signs of real processes. In one suite with the others: a process can have one `SignalPipe`.
extension LauncherTests {
  /// Sends life signs until its file exists, then none any more. Another file shows
  /// first one.
  private static let falters = """
    while [ ! -e "$1" ]; do printf x >&$MRDIB_LIFELINE; touch "$1-began"; sleep 0.05; done
    sleep 1000
    """

  /// The restarted process shows that it has begun.
  private func faltering(
    _ name: String, until file: String, over: String
  ) -> ChildSpecification {
    ChildSpecification(
      name: name, role: "server", executable: "/bin/bash",
      arguments: ["-c", Self.falters, "bash", file],
      restartArguments: ["-c", "touch \(over); sleep 100"])
  }

  @Test("a child whose life signs stop is killed and restarted; one that never sent any is not")
  func fallsSilent() throws {
    let folder = try TemporaryFolder()
    let (silent, over) = ("\(folder.path)/silent", "\(folder.path)/over")
    let launcher = LocalLauncher(
      logDirectory: folder.path, limits: .init(grace: 0.5, stop: 5, settle: 0.2, hang: 1),
      policy: RestartPolicy(limit: 3, firstDelay: 0.02))
    var notices: [LaunchNotice] = []
    let report = try launcher.run(
      [
        shell(
          "coordinator",
          "until [ -e \(silent)-began ]; do sleep 0.02; done; touch \(silent);"
            + "until [ -e \(over) ]; do sleep 0.02; done", isLeader: true),
        faltering("server-0", until: silent, over: over), shell("mute", "sleep 100"),
      ], signals: SignalPipe(), announce: { notices.append($0) })
    #expect(report.exitCode == .success)
    guard case .hangs(let name, let silence) = try #require(notices.first) else {
      Issue.record("\(notices)")
      return
    }
    #expect(name == "server-0" && silence >= 1)
    #expect(
      notices.first?.sentence.hasPrefix("server-0 hangs: no life sign for ") == true, "\(notices)")
    #expect(notices.count == 2)
    #expect(report.children[1].restarts == 1)
  }
}
