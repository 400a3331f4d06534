import Protocol

/// At least one message of every variant, with every field away from its default.
enum Samples {
  static let name = ContributionName(generation: 3, version: 1_000_000_007, shard: 5)

  static let sections = [
    TableSection(table: 0, rowCount: 3, width: 4, isWhole: false),
    TableSection(table: 7, rowCount: 2, width: 1, isWhole: true),
    TableSection(table: 8, rowCount: 0, width: 64, isWhole: false),
  ]

  static let keys = Payload.copying([4, 9, 4_000_000_000] as [UInt32])
  static let values = Payload.copying((0..<14).map { Float($0) * 0.5 - 3 })

  static let requests: [DataRequest] = [
    DataRequest(
      id: .max, body: .hello(DataHello(runID: "run-7", generation: 2, sender: "worker 0 — ü"))),
    DataRequest(
      id: 1,
      body: .pull(
        PullRequest(
          generation: 4, version: 12, sections: sections, keys: keys, confirmed: [3, 0, 60_000],
          wantsReports: true))),
    DataRequest(
      id: 2, body: .pull(PullRequest(generation: 4, version: 12, sections: [], keys: .empty))),
    DataRequest(
      id: 3,
      body: .push(
        PushRequest(
          name: name, kind: .gradient, sections: sections, keys: keys, values: values,
          sums: ["loss.total": 0.5, "stat.ü": -1e300]))),
    DataRequest(
      id: 4,
      body: .push(
        PushRequest(name: name, kind: .assign, sections: sections, keys: keys, values: values))),
    DataRequest(
      id: 5, body: .reduce(ReduceRequest(name: name, values: [0.1, -.infinity, 1e300, 0]))),
    DataRequest(
      id: 6,
      body: .reduce(
        ReduceRequest(name: name, stage: .propagated, rows: gradientRows, wantsRows: true))),
    DataRequest(id: 7, body: .copy(copy(.store(values), at: 1 << 20))),
    DataRequest(id: 8, body: .copy(copy(.fetch, at: 3))),
    DataRequest(id: 9, body: .copy(copy(.find, at: 3, of: .records))),
    DataRequest(id: 10, body: .copy(copy(.store(values), at: 4, of: .content))),
  ]

  private static func copy(
    _ purpose: CopyRequest.Purpose, at offset: UInt64,
    of subject: CopyRequest.Subject = .rows(rank: 3, serverCount: 4)
  ) -> CopyRequest {
    CopyRequest(
      runID: "run-7", generation: 5, version: 59, subject: subject, byteCount: 1 << 40,
      digest: "xxh128:00ff", offset: offset, purpose: purpose)
  }

  static let gradientRows = GradientRows(
    sections: [
      TableSection(table: 0, rowCount: 2, width: 3, isWhole: false),
      TableSection(table: 2, rowCount: 1, width: 1, isWhole: false),
    ],
    keys: .copying([4, 9, 1] as [UInt32]), values: .copying([1, 2, 3, 4, 5, 6, 7] as [Float]))

  static let replies: [DataReply] = [
    DataReply(requestID: 1, body: .welcome),
    DataReply(
      requestID: 2,
      body: .pulled(
        PullReply(
          version: 13, sections: sections, values: values,
          reports: [UnitReport(unit: 2, sums: ["loss.total": 1.5])]))),
    DataReply(requestID: 8, body: .copied(CopyReply(isComplete: true, bytes: values))),
    DataReply(requestID: 9, body: .copied(CopyReply(isComplete: false))),
    DataReply(requestID: 3, body: .pushed(.accepted)),
    DataReply(requestID: 4, body: .pushed(.duplicate)),
    DataReply(requestID: 5, body: .reduced(ReduceReply(values: [1, 2, 3.5]))),
    DataReply(requestID: 5, body: .reduced(ReduceReply(values: [], rows: gradientRows))),
    DataReply(
      requestID: 6,
      body: .refused(Refusal(code: .staleGeneration, message: "generation 2 is over; rejoin."))),
    DataReply(
      requestID: 7,
      body: .refused(Refusal(code: .versionSuperseded, message: "version 8 is gone", version: 9))),
  ]

  static let nodeMessages: [NodeMessage] = [
    .hello(
      NodeHello(
        role: .server, incarnation: 0xDEAD_BEEF_0123_4567, runID: "run-7",
        dataEndpoint: "tcp://10.0.0.7:40001", host: "node-7", processID: 4711, name: "server-0",
        holding: HeldState(generation: 3, rank: 1, version: 1_000_000), kernels: "SkylakeX")),
    .heartbeat(
      Heartbeat(
        residentBytes: 1 << 33, peakResidentBytes: 1 << 34, cpuSeconds: 12.25, taskProgress: 9,
        taskID: 77, generation: 3, version: 1 << 30)),
    .ready(generation: 5),
    .taskDone(
      id: 77,
      reports: [
        UnitReport(unit: 0, sums: ["bpr": 0.25, "kl/visual": -1, "recall@20": 3]),
        UnitReport(
          unit: 4, sums: [:],
          counts: [
            "valid.exposure@5": ItemCounts([
              (item: 0, count: 3), (item: 1, count: 1), (item: .max, count: .max),
            ]), "test.exposure@5": ItemCounts([(item: UInt32, count: UInt32)]()),
          ]),
      ]),
    .taskFailed(
      id: 78,
      TaskFailure(.diverged, "Training diverged: the loss term 'ranking' is nan; lower the rate.")),
    .goodbye(reason: "Ctrl-C"),
    .held(generation: 5, version: 1 << 31),
    .checkpointWritten(
      CheckpointShard(
        generation: 5, version: 59, rank: 3, file: "v59-g5/server-3-of-4.safetensors",
        byteCount: 1 << 40, digest: "00ff00ff00ff00ff")),
    .checkpointFailed(generation: 5, version: 59, message: "the disk is full"),
    .inspected(DiskReport(dataEndpoint: "tcp://10.0.0.7:40001")),
    .inspected(
      DiskReport(
        dataEndpoint: "tcp://10.0.0.7:40001", term: 3, generation: 7,
        records: [
          HeldRecords(
            runID: "run-7", generation: 5, version: 59, byteCount: 1 << 40, digest: "xxh128:00ff",
            configurationDigest: "c", dataDigest: "d", epochsFinished: 3, isOver: true)
        ], rows: [HeldRows(generation: 5, version: 59, rank: 3, digest: "xxh128:00ff")])),
  ]

  static let coordinatorMessages: [CoordinatorMessage] = [
    .welcome(
      Welcome(
        runID: "run-7", generation: 1, rank: 2, configuration: "model: vbpr\nseed: 1\n",
        tables: [
          TableDescription(
            name: "user_embedding", rows: 1 << 31, width: 64, rowsPerBlock: 1,
            initializer: "normal", initializerValue: 0.01, rule: "model", ruleValue: 0.5)
        ],
        seed: .max, shardCount: 4, stepsPerEpoch: 58, roundsPerStep: 2, serverCount: 3,
        heartbeatInterval: 0.5,
        checkpoints: CheckpointPlan(folder: "/shared/run/checkpoints", interval: 118),
        restored: RestoredCheckpoint(manifest: "v59-g5/manifest.json", version: 59))),
    .welcome(
      Welcome(
        runID: "run-8", generation: 1, rank: 2, configuration: "", tables: [], seed: 1,
        shardCount: 4, stepsPerEpoch: 58, roundsPerStep: 2, serverCount: 3, heartbeatInterval: 0.5,
        checkpoints: CheckpointPlan(folder: "/disk/run", interval: 118, copies: 2),
        restored: RestoredCheckpoint(
          manifest: "v59-g5/manifest.json", version: 59, content: "{\n}"))),
    .servers(generation: 1, endpoints: ["tcp://a:1", "ipc:///run/x"]),
    .task(
      WorkerTask(
        id: 9, generation: 2,
        body: .train(epoch: 3, firstVersion: 174, startVersion: 180, shards: [0, 2, 65_535]))),
    .task(
      WorkerTask(id: 10, generation: 2, body: .materialize(version: 232, epoch: 3, blocks: [1]))),
    .task(WorkerTask(id: 11, generation: 2, body: .rank(version: 233, epoch: 3, blocks: []))),
    .heartbeatAcknowledged(generation: 6),
    .finish(reason: "20 epochs without a better result", ending: .orderly),
    .finish(reason: "worker 1 is lost", ending: .transientFailure),
    .finish(reason: "the loss is nan", ending: .permanentFailure),
    .finish(reason: "Ctrl-C", ending: .stopped),
    .inspect(DiskQuestion(folder: "/disk")),
    .inspect(
      DiskQuestion(
        folder: "/disk", runID: "run-7",
        checkpoints: [.init(generation: 5, version: 59), .init(generation: 1, version: 1 << 31)])),
    .refused(Refusal(code: .clusterFull, message: "4 of 4 workers are here.")),
    .refused(Refusal(code: .diverged, message: "row 3 is nan")),
    .refused(Refusal(code: .helloNeeded, message: "send a hello first")),
    .hold(generation: 4),
    .checkpoint(generation: 4, version: 77),
    .checkpointAcknowledged(generation: 4, version: 78),
    .checkpointCommitted(manifest: "v59-g5/manifest.json", content: "{\"version\": 59}"),
  ]

  static let envelopes = coordinatorMessages.enumerated().map { index, message in
    CoordinatorEnvelope(term: UInt64(index) + 1, message: message)
  }

  static let encoded: [WireMessage] =
    requests.map { $0.encoded() } + replies.map { $0.encoded() }
    + nodeMessages.map { $0.encoded() } + envelopes.map { $0.encoded() }
}
