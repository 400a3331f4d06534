import Runtime
import TestSupport
import Testing

@Suite("Damaged event files")
struct EventFileFuzzTests {
  @Test("event files")
  func eventFiles() throws {
    let events = [
      EventMessage(time: 1, .fileVersion), EventMessage(time: 2, step: 3, .start),
      EventMessage(time: 2, step: 3, .summary([("loss/total", .scalar(0.5))])),
    ]
    let file = events.flatMap { TFRecord.framed($0.bytes) }
    let inputs = InputMutator(files: [file, TFRecord.framed([]), events[2].bytes])
    try FuzzRun.run(
      .file("events", inputs: inputs, rounds: 20_000) { bytes in
        let records = TFRecord.contents(of: bytes)
        // What is accepted is what was there.
        let again = records.flatMap { TFRecord.framed([UInt8]($0)) }
        guard bytes.starts(with: again) else { throw FuzzFailure("\(again) of \(bytes)") }
        // Checksums guard the messages, so they are also read without them.
        _ = EventMessage.outline(of: bytes[...])
        return records.isEmpty ? .refused("no record at the beginning") : .accepted
      })
  }
}
