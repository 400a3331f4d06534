import Protocol
import Testing
import Worker

@Suite struct WorkerSessionTests {
  private typealias Rig = SessionRig

  @Test("a heartbeat names the generation and the current task, and none without one")
  func heartbeat() throws {
    var rig = try Rig.ready()
    #expect(rig.heartbeats(.tick, at: 1) == [[1, 0]])
    rig.handle(Rig.task(5), at: 1)
    #expect(rig.heartbeats(.tick, at: 2) == [[1, 5]])
    rig.handle(.advanced(task: 5, .done([])), at: 2)
    #expect(rig.heartbeats(.tick, at: 3) == [[1, 0]])
  }

  @Test("a repetition of the current task is ignored")
  func repeatedTask() throws {
    var rig = try Rig.ready()
    #expect(rig.begun(Rig.task(5)) == [5])
    #expect(rig.handle(Rig.task(5)).isEmpty)
  }

  @Test("a repetition of a finished task is answered with its report, and not computed again")
  func repeatedAnswer() throws {
    var rig = try Rig.ready()
    let reports = [UnitReport(unit: 0, sums: ["valid.users": 3])]
    rig.handle(Rig.task(5))
    let first = rig.sent(.advanced(task: 5, .done(reports)))
    #expect(first == [.taskDone(id: 5, reports: reports)])
    #expect(rig.sent(Rig.task(5)) == first)
    #expect(rig.begun(Rig.task(6)) == [6])
    let failure = TaskFailure(.failed, "no memory")
    rig.handle(.taskFailed(task: 6, failure))
    #expect(rig.sent(Rig.task(6)) == [.taskFailed(id: 6, failure)])
    #expect(rig.handle(Rig.task(5)).isEmpty)
  }

  @Test("repeated servers or welcomes are answered with ready, also during a task")
  func repeatedReady() throws {
    var rig = try Rig.ready()
    for event in [Rig.servers(), Rig.welcome()] {
      #expect(rig.sent(event) == [.ready(generation: 1)])
    }
    rig.handle(Rig.task(5))
    for event in [Rig.servers(), Rig.welcome(), Rig.welcome(term: 2), Rig.servers(term: 2)] {
      #expect(rig.sent(event) == [.ready(generation: 1)])
    }
    // The task continues.
    #expect(!rig.handle(.advanced(task: 5, .pull([Rig.pull]))).isEmpty)
  }

  // MARK: Tasks that replace others

  @Test(
    "a task with a higher id replaces the current one and drops its requests and outputs")
  func replacedTask() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.task(5))
    let pulls = rig.requests(.advanced(task: 5, .pull([Rig.pull])))
    #expect(pulls.count == 1)
    #expect(rig.begun(Rig.task(6)) == [6])
    // Nothing of the old task is repeated, answered, or accepted from its computation.
    #expect(rig.requests(.tick, at: 30).isEmpty)
    #expect(rig.handle(Rig.pulled(pulls[0])).isEmpty)
    #expect(rig.handle(.advanced(task: 5, .push([Rig.push]))).isEmpty)
    #expect(rig.handle(.taskFailed(task: 5, TaskFailure(.failed, "late"))).isEmpty)
    #expect(rig.handle(Rig.task(5)).isEmpty)
    #expect(rig.requests(.advanced(task: 6, .pull([Rig.pull]))).count == 1)
    #expect(rig.sent(.advanced(task: 5, .done([]))).isEmpty)
  }

  @Test("a held pull and unacknowledged pushes are dropped with the old task")
  func replacedInStep() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.task(5))
    let pushes = rig.requests(.advanced(task: 5, .push([Rig.push])))
    #expect(rig.requests(.advanced(task: 5, .pull([Rig.pull]))).isEmpty)
    #expect(rig.begun(Rig.task(6)) == [6])
    #expect(rig.handle(Rig.acknowledged(pushes[0])).isEmpty)
    // The new task's first pull is not held.
    #expect(rig.requests(.advanced(task: 6, .pull([Rig.pull]))).count == 1)
  }

  @Test("tasks of another generation are ignored")
  func otherGeneration() throws {
    var rig = try Rig.ready()
    #expect(rig.handle(Rig.task(5, generation: 2)).isEmpty)
    #expect(rig.begun(Rig.task(5)) == [5])
    #expect(rig.handle(Rig.task(6, generation: 0)).isEmpty)
    #expect(rig.heartbeats(.tick, at: 1) == [[1, 5]])
  }

  @Test("versionSuperseded is passed to the task")
  func versionSuperseded() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.task(5))
    let pulls = rig.requests(.advanced(task: 5, .pull([Rig.pull])))
    let actions = rig.handle(Rig.refused(pulls[0], .versionSuperseded, version: 9))
    guard case .advance(5, .versionSuperseded(9))? = actions.first else {
      Issue.record("\(actions)")
      return
    }
  }

  // MARK: Generations

  /// Takes a worker from any phase of generation 1 to ready in generation 2.
  private func expectNewGeneration(_ rig: inout SessionRig) {
    let begun = rig.handle(Rig.welcome(generation: 2))
    guard case .setUp(let welcome)? = begun.first, begun.count == 1 else {
      Issue.record("\(begun)")
      return
    }
    #expect(welcome.generation == 2)
    // Events of the generation before are ignored.
    #expect(rig.handle(.setUp(generation: 1)).isEmpty)
    #expect(rig.handle(.setUpFailed(generation: 1, "no data")).isEmpty)
    #expect(rig.handle(Rig.servers()).isEmpty)
    #expect(rig.handle(Rig.task(7)).isEmpty)
    #expect(rig.requests(.tick, at: 30).isEmpty)
    #expect(rig.handle(Rig.servers(generation: 2, host: "b"), at: 30).isEmpty)
    let met = rig.handle(.setUp(generation: 2), at: 30)
    guard case .connect(let endpoints)? = met.first else {
      Issue.record("\(met)")
      return
    }
    #expect(endpoints == ["tcp://b:1"])
    let greetings = Rig.requests(met)
    #expect(greetings.count == 1)
    if case .hello(let hello)? = greetings.first?.body { #expect(hello.generation == 2) }
    // The servers are known, but it is not ready before they have welcomed it.
    #expect(rig.handle(Rig.servers(generation: 2, host: "b"), at: 30).isEmpty)
    #expect(rig.handle(Rig.welcome(generation: 2), at: 30).isEmpty)
    #expect(rig.sent(Rig.welcomed(greetings[0]), at: 30) == [.ready(generation: 2)])
    #expect(rig.begun(Rig.task(8, generation: 2), at: 30) == [8])
    #expect(rig.heartbeats(.tick, at: 32).last == [2, 8])
  }

  @Test("a new generation while it sets itself up")
  func generationWhileSettingUp() throws {
    var rig = Rig()
    rig.handle(Rig.welcome())
    expectNewGeneration(&rig)
  }

  @Test("a new generation before it knows the servers")
  func generationBeforeServers() throws {
    var rig = Rig()
    rig.handle(Rig.welcome())
    rig.handle(.setUp(generation: 1))
    expectNewGeneration(&rig)
  }

  @Test("a new generation while it meets the servers")
  func generationWhileMeeting() throws {
    var rig = Rig()
    rig.handle(Rig.welcome())
    rig.handle(.setUp(generation: 1))
    let greetings = rig.requests(Rig.servers())
    #expect(greetings.count == 1)
    expectNewGeneration(&rig)
    #expect(rig.handle(Rig.welcomed(greetings[0]), at: 30).isEmpty)
  }

  @Test("a new generation while it is idle")
  func generationWhileIdle() throws {
    var rig = try Rig.ready()
    expectNewGeneration(&rig)
  }

  @Test("a new generation while it waits for rows, for totals, or for acknowledgements")
  func generationWhileWorking() throws {
    let name = ContributionName(generation: 1, version: 0, shard: 0)
    let outputs: [WorkOutput] = [
      .pull([Rig.pull]),
      .reduce([ServerRequest(server: 0, body: ReduceRequest(name: name, values: [1]))]),
      .push([Rig.push]),
    ]
    for output in outputs {
      var rig = try Rig.ready()
      rig.handle(Rig.task(5))
      let requests = rig.requests(.advanced(task: 5, output))
      expectNewGeneration(&rig)
      #expect(rig.handle(Rig.pulled(requests[0]), at: 30).isEmpty)
      #expect(rig.handle(.advanced(task: 5, .done([])), at: 30).isEmpty)
    }
  }

  @Test("a new generation while it waits for the coordinator")
  func generationWhileWaiting() throws {
    var rig = try Rig.outdated()
    expectNewGeneration(&rig)
  }

  @Test("a generation is skipped if the next one comes before it was set up")
  func overtakenGeneration() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.welcome(generation: 2))
    rig.handle(Rig.welcome(generation: 3))
    rig.handle(Rig.servers(generation: 3))
    #expect(rig.handle(.setUp(generation: 2)).isEmpty)
    #expect(rig.requests(.setUp(generation: 3)).count == 1)
    #expect(rig.handle(Rig.welcome(generation: 2)).isEmpty)
  }

  @Test("a list of servers of the wrong length is ignored")
  func wrongServerCount() throws {
    var rig = Rig()
    rig.handle(Rig.welcome())
    rig.handle(.setUp(generation: 1))
    for endpoints in [[], ["tcp://a:1", "tcp://b:1"]] {
      #expect(rig.handle(Rig.envelope(.servers(generation: 1, endpoints: endpoints))).isEmpty)
    }
    #expect(rig.requests(Rig.servers()).count == 1)
  }

  // MARK: Servers that are lost

  @Test("a server that does not answer is retried as long as the coordinator answers")
  func silentServer() throws {
    var rig = try Rig.ready()
    rig.handle(Rig.task(5))
    let pulls = rig.requests(.advanced(task: 5, .pull([Rig.pull])))
    var repetitions = 0
    for now in 1...3600 {
      rig.handle(Rig.envelope(.heartbeatAcknowledged(generation: 1)), at: Double(now))
      let actions = rig.handle(.tick, at: Double(now))
      repetitions += Rig.requests(actions).count { $0.id == pulls[0].id }
      #expect(!Rig.leaves(actions))
    }
    #expect((200...250).contains(repetitions), "\(repetitions)")
    guard case .advance(5, .pulled)? = rig.handle(Rig.pulled(pulls[0]), at: 3600).first else {
      Issue.record("the late reply was not accepted")
      return
    }
    // The coordinator's silence ends it. Only time with ticks counts.
    var left: Double?
    for now in 3601...3700 where left == nil {
      if Rig.leaves(rig.handle(.tick, at: Double(now))) { left = Double(now) }
    }
    #expect(left == 3661)
  }

  @Test("a server of another generation makes it wait, without failing the task or leaving")
  func waits() throws {
    var rig = try Rig.outdated()
    #expect(rig.handle(.advanced(task: 5, .pull([Rig.pull]))).isEmpty)
    #expect(rig.heartbeats(.tick, at: 2) == [[1, 0]])
    #expect(rig.requests(.tick, at: 30).isEmpty)
  }

  @Test("while it waits, the same task is begun again, and an older one is not")
  func taskWhileWaiting() throws {
    var rig = try Rig.outdated()
    #expect(rig.handle(Rig.task(4)).isEmpty)
    #expect(rig.begun(Rig.task(5)) == [5])
  }

  @Test("while it waits, a repeated message of the coordinator makes it greet the servers again")
  func meetsAgain() throws {
    for event in [Rig.welcome(term: 2), Rig.servers(term: 2)] {
      var rig = try Rig.outdated()
      let met = rig.handle(event)
      guard case .connect? = met.first, let greeting = Rig.requests(met).first else {
        Issue.record("\(met)")
        continue
      }
      #expect(rig.sent(Rig.welcomed(greeting)) == [.ready(generation: 1)])
      #expect(rig.begun(Rig.task(5, term: 2)) == [5])
    }
  }

  @Test("stray answers change nothing in any phase")
  func strayAnswers() throws {
    let strays = (0..<40 as Range<UInt64>).flatMap { id in
      let request = DataRequest(id: id, body: .pull(Rig.pull.body))
      return [
        Rig.pulled(request), Rig.acknowledged(request), Rig.welcomed(request),
        Rig.refused(request, .versionSuperseded, version: 3), Rig.refused(request, .malformed),
      ]
    }
    func expectDeaf(_ rig: SessionRig) {
      for stray in strays {
        var copy = rig
        #expect(copy.handle(stray).isEmpty)
      }
    }
    expectDeaf(Rig())
    var rig = try Rig.ready()
    expectDeaf(rig)
    rig.handle(Rig.task(5))
    expectDeaf(rig)
    expectDeaf(try Rig.outdated())
  }

  // MARK: The coordinator

  @Test("a restarted coordinator gets what the worker holds, while the worker continues its task")
  func restartedCoordinator() throws {
    for isWorking in [false, true] {
      var rig = try Rig.ready()
      if isWorking { rig.handle(Rig.task(5)) }
      let unknown = CoordinatorMessage.refused(Refusal(code: .helloNeeded, message: "unknown"))
      let hellos = rig.sent(Rig.envelope(unknown, term: 2))
      guard case .hello(let hello)? = hellos.first else {
        Issue.record("\(hellos)")
        continue
      }
      #expect(hello.holding == HeldState(generation: 1, rank: 3, version: 0))
      if isWorking { #expect(rig.requests(.advanced(task: 5, .pull([Rig.pull]))).count == 1) }
      #expect(rig.sent(Rig.welcome(term: 2)) == [.ready(generation: 1)])
      // The earlier coordinator is not obeyed any more.
      #expect(rig.handle(Rig.task(6)).isEmpty)
      #expect(rig.begun(Rig.task(2 << 32, term: 2)) == [2 << 32])
    }
  }

  @Test("missing data, a refused hello and a signal are reported before leaving")
  func goodbyes() throws {
    var rig = Rig()
    rig.handle(Rig.welcome())
    var copy = rig
    #expect(Rig.goodbyeReason(copy.handle(.setUpFailed(generation: 1, "no data"))) == "no data")
    copy = rig
    #expect(Rig.goodbyeReason(copy.handle(.stopRequested))?.contains("stop") == true)
    rig.handle(.setUp(generation: 1))
    let greeting = rig.requests(Rig.servers())
    #expect(
      Rig.goodbyeReason(rig.handle(Rig.refused(greeting[0], .malformed)))?.contains("Server 0")
        == true)
    #expect(rig.handle(.tick, at: 5).isEmpty)
  }
}
