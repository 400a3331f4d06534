import Coordinator
import Files
import Foundation
import Runtime
import TestSupport
import Testing

/// Event files, read by the format's description.
@Suite struct TensorBoardLogTests {
  /// An event: its step, whether it begins a session, and its scalars.
  private struct Event: Equatable {
    var step: Int64 = 0
    var isStart = false
    var values: [String: Float] = [:]
  }

  private static let parameters = HyperParameters(
    settings: [("alpha1", "0.05"), ("model", "vbpr"), ("gate", "true")],
    metrics: ["valid/recall@20"], name: "run")

  private func log(in folder: TemporaryFolder, at second: Double = 1000) throws -> TensorBoardLog {
    try TensorBoardLog(
      directory: folder.path, parameters: Self.parameters, histograms: nil,
      date: Date(timeIntervalSince1970: second))
  }

  private func epoch(_ number: UInt32, loss: Double = 0.5) -> EpochSummary {
    EpochSummary(epoch: number, version: 8, values: ["loss.total": loss], seconds: 2)
  }

  private func evaluation(_ number: UInt32, recall: Double) -> EvaluationSummary {
    EvaluationSummary(
      epoch: number, version: 8, metrics: ["valid.recall@20": recall], users: [:],
      materializeSeconds: 0, rankSeconds: 1)
  }

  /// All events of a folder's files, in the order in which TensorBoard reads them.
  private func events(in folder: TemporaryFolder) throws -> [Event] {
    try folder.files.filter { $0.contains("tfevents") }.flatMap { name in
      let file = try folder.read(name)
      let records = TFRecord.contents(of: file)
      #expect(
        records.first.map { String(decoding: $0, as: UTF8.self) }?.hasSuffix("brain.Event:2")
          == true)
      return try records.map(event)
    }
  }

  private func event(_ bytes: ArraySlice<UInt8>) throws -> Event {
    var event = Event()
    var reader = ProtobufFieldReader(bytes)
    while !reader.isAtEnd {
      let next = reader.next()
      let field = try #require(next)
      switch field.number {
      case 2: event.step = Int64(bitPattern: field.integer ?? 0)
      case 7: event.isStart = true
      case 5:
        var summary = ProtobufFieldReader(try #require(field.content))
        while !summary.isAtEnd {
          let next = summary.next()
          let value = [UInt8](try #require(next?.content))
          let length = Int(value[1])
          let tag = String(decoding: value[2..<2 + length], as: UTF8.self)
          // A scalar is a key and four bytes.
          guard value.count == length + 7, value[2 + length] == 0x15 else { continue }
          let bits = value.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
          event.values[tag] = Float(bitPattern: bits)
        }
      default: break
      }
    }
    return event
  }

  @Test("an epoch is one event with its losses, metrics and times")
  func epochs() throws {
    let folder = try TemporaryFolder()
    let log = try log(in: folder)
    log.append(epoch(0), evaluation: evaluation(0, recall: 0.25))
    log.append(epoch(1, loss: 0.125), evaluation: nil)
    log.finish(.success)
    let events = try events(in: folder)
    #expect(events.map(\.step) == [0, 0, 0, 1, 1] && !events.contains { $0.isStart })
    #expect(
      events[2].values == [
        "loss/total": 0.5, "valid/recall@20": 0.25, "seconds/train": 2, "seconds/evaluate": 1,
      ])
    #expect(events[3].values == ["loss/total": 0.125, "seconds/train": 2])
    let bytes = try folder.read(try #require(try folder.files.first))
    for tag in ["experiment", "session_start_info", "session_end_info"] {
      #expect(Data(bytes).range(of: Data("_hparams_/\(tag)".utf8)) != nil, "\(tag)")
    }
  }

  @Test("a resumed run continues in a new file, with what the earlier ones lack and nothing twice")
  func resumed() throws {
    let folder = try TemporaryFolder()
    let first = try log(in: folder)
    first.append(epoch(0), evaluation: nil)
    first.append(epoch(1), evaluation: nil)
    first.finish(nil)
    // The process was killed while it wrote the second epoch.
    let name = try #require(try folder.files.first)
    try folder.write(folder.read(name).dropLast(3), to: name)
    // The clock of the next machine is behind.
    let second = try log(in: folder, at: 900)
    second.complete((0..<3).map { (epoch($0), nil) })
    second.append(epoch(3), evaluation: nil)
    second.finish(nil)
    let files = try folder.files
    #expect(files.count == 2 && files[0] == name && files[1].contains(".0000001001."))
    let events = try events(in: folder).filter { !$0.values.isEmpty }
    #expect(events.map(\.step) == [0, 1, 2, 3])
  }

  @Test(
    "an epoch that is recorded again begins a session, from which on earlier events do not count")
  func repeated() throws {
    let folder = try TemporaryFolder()
    let log = try log(in: folder)
    for number in 0..<3 { log.append(epoch(UInt32(number)), evaluation: nil) }
    log.append(epoch(2, loss: 0.25), evaluation: evaluation(2, recall: 1))
    log.append(epoch(3), evaluation: nil)
    log.finish(nil)
    let events = try events(in: folder).dropFirst(2)
    #expect(events.map(\.step) == [0, 1, 2, 2, 2, 3])
    #expect(events.map(\.isStart) == [false, false, false, true, false, false])
  }
}

@Suite struct ValueHistogramTests {
  @Test("every finite value is in one interval, the largest in the last")
  func intervals() throws {
    let values = (0...60).map { Float($0) } + [.nan, .infinity]
    let histogram = try #require(ValueHistogram(values))
    #expect(histogram.count == 61 && histogram.counts.reduce(0, +) == 61)
    #expect(histogram.counts.dropLast().allSatisfy { $0 == 2 } && histogram.counts.last == 3)
    #expect(histogram.smallest == 0 && histogram.limits.last == 60 && histogram.limits[0] == 2)
    #expect(histogram.sum == 1830 && histogram.sumOfSquares == 73_810)
    let equal = try #require(ValueHistogram([2, 2]))
    #expect(equal.limits == [2] && equal.counts == [2])
    #expect(ValueHistogram([.nan]) == nil)
  }
}
