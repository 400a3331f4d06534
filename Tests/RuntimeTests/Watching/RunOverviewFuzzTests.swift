import Runtime
import TestSupport
import Testing

/// The JSON of an overview comes from a network: reading it never traps, and refuses with a
/// sentence.
@Suite("Damaged overviews")
struct RunOverviewFuzzTests {
  @Test("damaged JSON is refused, or is the same when written and read again")
  func damaged() throws {
    let text = """
      {"schema":1,"time":"2026-01-01T00:00:00Z","run":{"id":"r","name":"one","model":"vbpr",
      "dataset":"d","objective":"mrdib","seed":1,"created":"","epochs":10,"shards":2,"workers":2,
      "servers":1},"state":"training","message":"","position":{"epoch":1,"epochs_finished":1,
      "activity":"train","done":3,"total":9,"examples_per_second":12.5,"waiting_for":"x",
      "wait_seconds_left":1e3},"time_left":{"least_seconds":1,"most_seconds":2},
      "elapsed_seconds":3.5,"selection":{"metric":"valid.recall@20","patience":20,"best_epoch":0,
      "best_value":0.5,"not_improved":1},"epochs":[{"epoch":0,"at":1.5,"train_seconds":1,
      "loss":{"total":0.5,"kl":null},"stat":{},"valid":{"recall@20":0.5},"test":{}}],
      "history_revision":0,"modalities":[{"name":"text","sigma":0.9}],"pairs":[{"name":"a-b"}],
      "gate":{"scale":1},"nodes":[{"role":"worker","rank":0,"name":"","host":"h","process":7,
      "state":"working","since":"","units":2,"per_second":1.5,"per_second_unit":"examples",
      "lag":0,"resident_bytes":4096,"processors":0.5,"note":"","silent_seconds":1}],
      "events":[{"time":"","at":1,"position":0.5,"kind":"lost","severity":"warning","text":"t"}]}
      """
    let inputs = InputMutator(
      texts: [text],
      words: [
        "null", "-1", "1e999", "4294967296", "18446744073709551616", "[]", "{}", "\"\"", "1e300",
        "-1e300", "\"\\u001b[2J\"", "true", "2", "\"lost\"", "0.1",
      ])
    try FuzzRun.run(
      .file("run-overview", inputs: inputs, rounds: 6_000) { bytes in
        do {
          let overview = try RunOverview(decoding: bytes, of: "a test")
          let lines = overview.lines(atMost: 100)
          guard lines.allSatisfy({ $0.count <= 100 && !$0.contains("\u{1B}") }) else {
            throw FuzzFailure("a line is too long or has control characters: \(lines)")
          }
          let again = try RunOverview(decoding: overview.encoded(), of: "a test")
          guard again == overview else { throw FuzzFailure("\(overview) became \(again)") }
          return .accepted
        } catch let error as RuntimeError {
          return .refused(error.message)
        }
      })
  }
}
