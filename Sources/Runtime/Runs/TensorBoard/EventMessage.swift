import Files

/// One event of a TensorBoard file.
///
/// - Source: `event.proto` and `summary.proto` of TensorBoard (field numbers).
package struct EventMessage: Sendable {
  /// What a summary shows under a tag.
  package enum Value: Sendable {
    /// 32 bits, as all readers expect; `metrics.jsonl` has the unrounded number.
    case scalar(Double)
    case histogram(ValueHistogram)
    /// What a plugin reads, without a value of its own.
    case plugin(String, content: [UInt8])
  }

  package enum Content: Sendable {
    /// The first event of a file.
    case fileVersion
    /// Events before this one, of this step or later, do not count.
    case start
    case summary([(tag: String, value: Value)])
  }

  /// The value of the first event that present readers expect.
  private static let version = "brain.Event:2"

  /// Seconds since 1970.
  let time: Double
  let step: Int64
  let content: Content

  package init(time: Double, step: Int64 = 0, _ content: Content) {
    self.time = time
    self.step = step
    self.content = content
  }

  package var bytes: [UInt8] {
    var event = ProtobufWriter()
    event.double(1, time)
    if step != 0 { event.integer(2, step) }
    switch content {
    case .fileVersion: event.text(3, Self.version)
    case .start:
      event.message(7) {
        // START
        $0.integer(1, 1)
      }
    case .summary(let values):
      event.message(5) { summary in
        for (tag, value) in values {
          summary.message(1) { Self.write(tag, value, to: &$0) }
        }
      }
    }
    return event.bytes
  }

  private static func write(_ tag: String, _ value: Value, to writer: inout ProtobufWriter) {
    writer.text(1, tag)
    switch value {
    case .scalar(let number): writer.float(2, Float(number))
    case .histogram(let histogram): writer.message(5) { histogram.write(to: &$0) }
    case .plugin(let name, let content):
      writer.message(9) { metadata in
        metadata.message(1) { plugin in
          plugin.text(1, name)
          plugin.bytes(2, content)
        }
      }
    }
  }

  /// The step and the tags of an event, without its values; nil if the bytes are none.
  ///
  /// Reads only what ``bytes`` writes.
  package static func outline(of bytes: ArraySlice<UInt8>) -> (step: Int64, isSummary: Bool)? {
    var reader = ProtobufFieldReader(bytes)
    var step: Int64 = 0
    var isSummary = false
    while !reader.isAtEnd {
      guard let field = reader.next() else { return nil }
      if field.number == 2, let value = field.integer { step = Int64(bitPattern: value) }
      if field.number == 5 { isSummary = true }
    }
    return (step, isSummary)
  }
}
