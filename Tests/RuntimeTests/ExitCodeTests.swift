import Checkpoints
import Coordinator
import Glibc
import Runtime
import Testing

@Suite struct ExitCodeTests {
  private func code(_ ending: RunOutcome.Ending) -> Int32 {
    ExitCode(RunOutcome(ending: ending, epochsFinished: 1, best: nil), stopSignal: 15).rawValue
  }

  @Test("the outcome of a run determines the exit code")
  func codes() {
    #expect(code(.completed) == 0)
    #expect(code(.earlyStopped) == 0)
    #expect(code(.interrupted(reason: "SIGTERM")) == 143)
    #expect(code(.failed(RunFailure(kind: .peerLost, message: ""))) == 138)
    #expect(code(.failed(RunFailure(kind: .diverged, message: ""))) == 70)
    #expect(code(.failed(RunFailure(kind: .bestNotSaved, message: ""))) == 74)
  }

  @Test(
    "a lack of descriptors is a system failure for every kind of file",
    arguments: [EMFILE, ENFILE])
  func descriptors(_ number: Int32) {
    for kind in [CheckpointError.Code.cannotCreate, .inputOutput] {
      let error = CheckpointError.system("write 'a/b'", errno: number, kind)
      #expect(error.code == .tooManyOpenFiles)
      #expect(ExitCode(describing: error).rawValue == 71)
    }
  }

  @Test("1 to 127 is permanent, 128 and above is not")
  func permanence() {
    #expect(ExitCode.dataMalformed.isPermanentFailure)
    #expect(!ExitCode.success.isPermanentFailure)
    #expect(!ExitCode.transient.isPermanentFailure)
    #expect(!ExitCode.signal(9).isPermanentFailure)
  }
}
