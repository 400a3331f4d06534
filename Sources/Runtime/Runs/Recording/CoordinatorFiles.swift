import Coordinator
import Nodes
import Protocol
import Transport
import Worker

/// The files of a run that its coordinator keeps, and the jobs on them: records, checkpoints and
/// the best model.
final class CoordinatorFiles {
  let recorder: RunRecorder
  fileprivate let checkpoints: CheckpointCommitter
  fileprivate let models: BestModelSaver

  /// - Parameters:
  ///   - security: of connections to servers that keep copies.
  ///   - post: called on a queue with the result of a job, or when the paths of the run do not lead
  ///     to its files any more.
  init(
    _ recorder: RunRecorder, setup: RunSetup, security: Security = .plain(),
    post: @escaping @Sendable (CoordinatorReport) -> Void
  ) {
    self.recorder = recorder
    checkpoints = CheckpointCommitter(
      setup: setup, plan: recorder.plan, records: recorder.copier(setup, security)
    ) { event, problems in
      post(.checkpoints(event, problems: problems))
    }
    models = BestModelSaver(
      run: recorder.directory.path, model: setup.model,
      identifiers: IdentifierDigests(folder: setup.dataFolder),
      keepsIdentifiers: recorder.hadBest,
      checkPlace: recorder.watch.check
    ) { event, number in
      post(.model(event, saving: number))
    }
    recorder.watch.start { post(.displaced($0)) }
  }
}

/// The environment of a coordinator with real files, whether the cluster is made of processes or
/// lives in one.
protocol FileKeepingEnvironment: CoordinatorEnvironment where ModelWriter == BestModelWriter {
  var files: CoordinatorFiles { get }
}

extension FileKeepingEnvironment {
  func record(_ record: RunRecord) throws { try files.recorder.record(record) }

  func recordKernels(of hello: NodeHello) throws { try files.recorder.recordKernels(of: hello) }

  func noteUsage(of role: NodeRole, incarnation: UInt64, cpuSeconds: Double) {
    files.recorder.noteUsage(of: role, incarnation: incarnation, cpuSeconds: cpuSeconds)
  }

  func report(_ event: RunEvent) { files.recorder.report(event) }

  func showWait(for what: String, secondsLeft: Double) {
    files.recorder.showWait(for: what, secondsLeft: secondsLeft)
  }

  func findCheckpoint() { files.checkpoints.find() }

  func commitCheckpoint(_ commit: CheckpointCommit, keepers: [ServerPlace]) {
    files.checkpoints.commit(commit, keepers: keepers)
  }

  func copyRecords(to keepers: [ServerPlace]) { files.checkpoints.copyRecords(to: keepers) }

  func discardCheckpointFiles(_ shards: [CheckpointShard]) { files.checkpoints.discard(shards) }

  func makeModelFiles(_ request: BestModelRequest) { files.models.begin(request) }

  func completeModelFiles(_ writer: BestModelWriter, of request: BestModelRequest) {
    files.models.finish(writer, of: request)
  }
}

extension BestModelWriter: BestModelSink {}
