import Foundation
import TestSupport
import Testing

/// `mrdib status`, and the pages of runs, over real processes and sockets.
@Suite struct StatusTests {
  private static func object(_ command: Command) throws -> [String: Any] {
    #expect(command.status == 0, "\(command.errors)")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(command.output.utf8)) as? [String: Any])
  }

  /// The page's address, as a process prints it.
  private static func page(of running: RunningCommand) throws -> String {
    var found: String?
    try Wait.until("the page is served") {
      found = running.errors.firstMatch(of: /page: (http:\/\/127\.0\.0\.1:[1-9]\d*)\//)
        .map { String($0.1) }
      return found != nil || !running.isRunning
    }
    return try #require(found, "\(running.errors)")
  }

  @Test("a cluster: its page while it trains, a worker that is killed, and its files after it died")
  func cluster() throws {
    let long = try LongRun()
    let train = try long.start("run", ["--workers", "2", "--servers", "1", "--page", "0"])
    let page = try Self.page(of: train)
    try long.wait(for: 3, of: "run", while: train)
    let live = try Self.object(Command("status", "--coordinator", page, "--json"))
    #expect(live["schema"] as? Int == 1)
    let nodes = try #require(live["nodes"] as? [[String: Any]])
    #expect(nodes.map { $0["role"] as? String } == ["server", "worker", "worker"])
    #expect((live["epochs"] as? [Any])?.count ?? 0 >= 3)

    kill(try #require(train.child("worker-1")), SIGKILL)
    try Wait.until("the loss is an event") {
      let now = try Self.object(Command("status", "--coordinator", page, "--json"))
      let events = now["events"] as? [[String: Any]] ?? []
      return events.contains { $0["kind"] as? String == "lost" } || !train.isRunning
    }
    let running = try Command("status", "--run", long.path("run"))
    #expect(running.output.contains("running (a process owns it)"), "\(running.output)")
    train.killWithChildren()
    _ = try train.wait()
    let dead = try Self.object(Command("status", "--run", long.path("run"), "--json"))
    #expect(dead["state"] as? String == "dead")
    let gone = try Command("status", "--coordinator", page)
    #expect(gone.status == 138 && gone.errors.contains("with --page"), "\(gone.errors)")
  }

  @Test("a folder of runs has a page, with a token; --watch prints until the run is over")
  func folder() throws {
    let folder = try TemporaryFolder()
    let data = try folder.generateData()
    let train = try Command(
      "train", "--data", data, "--run", folder.path("runs/one"), "--epochs", "2",
      "--single-process", "--quiet", "--set", "train_batch_size=512")
    #expect(train.status == 0, "\(train.errors)")
    let watch = try Command("status", "--run", folder.path("runs/one"), "--watch", "--json")
    let lines = watch.output.split(separator: "\n")
    #expect(watch.status == 0 && lines.count == 1 && watch.output.contains("completed"))

    try folder.write("0123456789abcdef0\n", to: "token")
    let server = try RunningCommand(
      folder,
      ["page", folder.path("runs"), "--listen", "0", "--page-token", folder.path("token")])
    let page = try Self.page(of: server)
    let refused = try Command("status", "--coordinator", page)
    #expect(refused.status == 64 && refused.errors.contains("--page-token"), "\(refused.errors)")
    // With the token the page answers that it has several runs.
    let several = try Command(
      "status", "--coordinator", page, "--page-token", folder.path("token"))
    #expect(several.status == 64 && several.errors.contains("--run"), "\(several.errors)")
    let taken = try Command("page", folder.path("runs"), "--listen", String(page.dropFirst(7)))
    #expect(taken.status == 69 && taken.errors.contains("another port"), "\(taken.errors)")
    server.interrupt()
    #expect(try server.wait() == 0, "\(server.errors)")
  }

  @Test("what is asked for wrongly is refused with a sentence")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let cases: [([String], Int32, String)] = [
      (["status"], 64, "--coordinator or --run"),
      (["status", "--run", folder.path], 66, "holds no run"),
      (["status", "--run", folder.path("none")], 66, "holds no run"),
      (["status", "--coordinator", "nonsense"], 64, "HOST:PORT"),
      (["status", "--run", folder.path, "--watch", "--interval", "0"], 64, "--interval"),
      (["page", folder.path("none")], 66, "no such folder"),
      (["page", folder.path, "--listen", "x:y"], 64, "HOST:PORT"),
      (["train", "--page-token", "file", "--dry-run"], 64, "--page"),
    ]
    for (arguments, status, word) in cases {
      let command = try Command(arguments: arguments)
      #expect(command.status == status && command.errors.contains(word), "\(command.errors)")
    }
  }
}
