import Configuration
import Files

/// The settings of a run and how it ended, for TensorBoard's plugin `hparams`.
///
/// - Source: `plugin_data.proto` and `api.proto` of the plugin (field numbers), and its tags.
package struct HyperParameters: Sendable {
  private static let plugin = "hparams"

  /// How a session ends.
  package enum Ending: Int64, Sendable {
    case success = 1
    case failure = 2
  }

  /// Those that decide which model is trained; values as YAML.
  let settings: [(name: String, value: String)]
  /// The tags that the table shows, such as `valid/recall@20`.
  let metrics: [String]
  /// Of the run.
  let name: String

  package init(
    settings: [(name: String, value: String)], metrics: [String], name: String
  ) {
    self.settings = settings
    self.metrics = metrics
    self.name = name
  }

  /// What is written when a run begins: the columns of the table, and the run's values.
  package func beginning(at time: Double) -> [(tag: String, value: EventMessage.Value)] {
    let experiment = Self.data { data in
      data.message(2) { experiment in
        for (name, value) in settings {
          experiment.message(4) { info in
            info.text(1, name)
            info.integer(4, Self.kind(of: value))
          }
        }
        for tag in metrics {
          experiment.message(5) { info in
            info.message(1) { $0.text(2, tag) }
          }
        }
      }
    }
    let session = Self.data { data in
      data.message(3) { session in
        for (name, value) in settings {
          session.message(1) { entry in
            entry.text(1, name)
            entry.message(2) { Self.write(value, to: &$0) }
          }
        }
        session.text(4, name)
        session.double(5, time)
      }
    }
    return [
      ("_hparams_/experiment", .plugin(Self.plugin, content: experiment)),
      ("_hparams_/session_start_info", .plugin(Self.plugin, content: session)),
    ]
  }

  /// What is written when it has ended.
  package func end(
    _ ending: Ending, at time: Double
  ) -> [(tag: String, value: EventMessage.Value)] {
    let content = Self.data { data in
      data.message(4) { session in
        session.integer(1, ending.rawValue)
        session.double(2, time)
      }
    }
    return [("_hparams_/session_end_info", .plugin(Self.plugin, content: content))]
  }

  private static func data(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var data = ProtobufWriter()
    write(&data)
    return data.bytes
  }

  /// Numbers and truth values can be compared in the table; all else is text.
  private enum Parsed {
    case number(Double)
    case truth(Bool)
    case text(String)

    init(_ yaml: String) {
      if let number = Double(yaml), number.isFinite {
        self = .number(number)
      } else if yaml == "true" || yaml == "false" {
        self = .truth(yaml == "true")
      } else {
        self = .text(yaml)
      }
    }
  }

  /// A number of `DataType`.
  private static func kind(of yaml: String) -> Int64 {
    switch Parsed(yaml) {
    case .text: 1
    case .truth: 2
    case .number: 3
    }
  }

  /// A `google.protobuf.Value`.
  private static func write(_ yaml: String, to writer: inout ProtobufWriter) {
    switch Parsed(yaml) {
    case .number(let number): writer.double(2, number)
    case .text(let text): writer.text(3, text)
    case .truth(let isTrue): writer.integer(4, isTrue ? 1 : 0)
    }
  }
}
