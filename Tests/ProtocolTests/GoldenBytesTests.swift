import Protocol
import Testing

/// The bytes of version 6, worked out by hand from the protobuf encoding and `Proto/`. When one of
/// these tests fails, peers of the last release no longer understand this one: raise
/// `ProtocolVersion.current` and write down why, or undo the change.
@Suite("Bytes on the wire are those of version 6")
struct GoldenBytesTests {
  @Test("a push header")
  func pushHeader() {
    let push = PushRequest(
      name: ContributionName(generation: 1, version: 300, shard: 2), kind: .assign,
      sections: [
        TableSection(table: 0, rowCount: 2, width: 64, isWhole: false),
        TableSection(table: 3, rowCount: 1, width: 1, isWhole: true),
      ],
      keys: .copying([1, 2] as [UInt32]),
      values: .copying([Float](repeating: 0, count: 129)))
    let header: [UInt8] = [
      0x08, 0x06,  // 1: protocol version 6
      0x10, 0x2a,  // 2: id 42
      0x62, 0x1b,  // 12: push, 27 bytes
      0x0a, 0x07,  //   1: name, 7 bytes
      0x08, 0x01,  //     1: generation 1
      0x10, 0xac, 0x02,  //     2: version 300
      0x18, 0x02,  //     3: shard 2
      0x10, 0x01,  //   2: kind assign
      0x1a, 0x04,  //   3: section, 4 bytes; table 0 is the default and not written
      0x10, 0x02,  //     2: row count 2
      0x18, 0x40,  //     3: width 64
      0x1a, 0x08,  //   3: section, 8 bytes
      0x08, 0x03,  //     1: table 3
      0x10, 0x01,  //     2: row count 1
      0x18, 0x01,  //     3: width 1
      0x20, 0x01,  //     4: whole
    ]
    let encoded = DataRequest(id: 42, body: .push(push)).encoded()
    #expect(encoded.frames[0].array(of: UInt8.self) == header)
  }

  @Test("a reduction with rows")
  func reduction() {
    let reduce = ReduceRequest(
      name: ContributionName(generation: 1, version: 300, shard: 2), stage: .propagated,
      values: [1.5],
      rows: GradientRows(
        sections: [TableSection(table: 1, rowCount: 1, width: 2, isWhole: false)],
        keys: .copying([7] as [UInt32]), values: .copying([0.5, 2] as [Float])),
      wantsRows: true)
    let header: [UInt8] = [
      0x08, 0x06,  // 1: protocol version 6
      0x10, 0x2a,  // 2: id 42
      0x6a, 0x1f,  // 13: reduce, 31 bytes
      0x0a, 0x07,  //   1: name, 7 bytes
      0x08, 0x01,  //     1: generation 1
      0x10, 0xac, 0x02,  //     2: version 300
      0x18, 0x02,  //     3: shard 2
      0x12, 0x08, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,  //   2: values, packed: 1.5
      0x18, 0x01,  //   3: stage 1
      0x22, 0x06,  //   4: section, 6 bytes
      0x08, 0x01,  //     1: matrix 1
      0x10, 0x01,  //     2: row count 1
      0x18, 0x02,  //     3: width 2
      0x28, 0x01,  //   5: wants rows
    ]
    let frames = DataRequest(id: 42, body: .reduce(reduce)).encoded().frames
    #expect(frames[0].array(of: UInt8.self) == header)
    #expect(frames[1].array(of: UInt8.self) == [7, 0, 0, 0])
    #expect(frames[2].array(of: UInt8.self) == [0, 0, 0, 0x3f, 0, 0, 0, 0x40])
  }

  @Test("the report of a ranked block")
  func unitReport() {
    let counts = ItemCounts([(item: 3, count: 1), (item: 300, count: 2), (item: 301, count: 128)])
    let message = NodeMessage.taskDone(
      id: 7, reports: [UnitReport(unit: 2, sums: ["n": 1.5], counts: ["e": counts])])
    let header: [UInt8] = [
      0x08, 0x06,  // 1: protocol version 6
      0x6a, 0x25,  // 13: task done, 37 bytes
      0x08, 0x07,  //   1: task 7
      0x12, 0x21,  //   2: report, 33 bytes
      0x08, 0x02,  //     1: unit 2
      0x12, 0x0c,  //     2: sum, 12 bytes
      0x0a, 0x01, 0x6e,  //       1: name "n"
      0x11, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,  //       2: value 1.5
      0x1a, 0x0f,  //     3: counts, 15 bytes
      0x0a, 0x01, 0x65,  //       1: name "e"
      0x12, 0x04, 0x03, 0xa9, 0x02, 0x01,  //       2: gaps 3, 297, 1
      0x1a, 0x04, 0x01, 0x02, 0x80, 0x01,  //       3: counts 1, 2, 128
    ]
    #expect(message.encoded().frames[0].array(of: UInt8.self) == header)
  }

  @Test("a heartbeat")
  func heartbeat() {
    let message = NodeMessage.heartbeat(
      Heartbeat(
        residentBytes: 128, peakResidentBytes: 1, cpuSeconds: 1.5, taskProgress: 7, taskID: 300))
    let header: [UInt8] = [
      0x08, 0x06,  // 1: protocol version 6
      0x5a, 0x13,  // 11: heartbeat, 19 bytes
      0x08, 0x80, 0x01,  //   1: resident bytes 128
      0x10, 0x01,  //   2: peak resident bytes 1
      0x19, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f,  //   3: cpu seconds 1.5
      0x20, 0x07,  //   4: task progress 7
      0x28, 0xac, 0x02,  //   5: task 300
    ]
    #expect(message.encoded().frames[0].array(of: UInt8.self) == header)
  }
}
