import Coordinator
import Nodes
import Protocol

/// Something that happens in a simulated history, as traces and transcripts show it.
package enum TraceEvent {
  case started(ProcessName)
  /// The process has left or was killed.
  case ended(ProcessName)
  case fault(Fault)
  /// A message has arrived.
  case delivered(MemoryMessage, from: ProcessName, to: ProcessName)
  case recorded(RunRecord, by: ProcessName)
  case reported(RunEvent, by: ProcessName)
  /// The tables of a server have reached a version.
  case reached(version: UInt64, generation: UInt64, by: ProcessName)
  /// Something was written to disk.
  case wrote(String, by: ProcessName)
  case logged(String, by: ProcessName)
  /// A rule was violated.
  case violation(String)
}

extension TraceEvent: CustomStringConvertible {
  package var description: String {
    switch self {
    case .started(let name): "\(name) starts"
    case .ended(let name): "\(name) ends"
    case .fault(let fault): "fault: \(fault)"
    case .delivered(let message, let sender, let receiver):
      "\(sender) -> \(receiver): \(Self.brief(message))"
    case .recorded(let record, let name): "\(name) records \(record.change)"
    case .reported(let event, let name): "\(name) reports \(event)"
    case .reached(let version, let generation, let name):
      "\(name) reaches version \(version) of generation \(generation)"
    case .wrote(let what, let name): "\(name) has written \(what)"
    case .logged(let line, let name): "\(name) logs: \(line)"
    case .violation(let violation): "VIOLATION \(violation)"
    }
  }

  private static func brief(_ message: MemoryMessage) -> String {
    switch message {
    case .node(let message): "\(message)"
    case .coordinator(let envelope):
      if case .welcome(let welcome) = envelope.message {
        "welcome to generation \(welcome.generation), rank \(welcome.rank), term \(envelope.term)"
      } else {
        "term \(envelope.term) \(envelope.message)"
      }
    case .request(let request): "request \(request.id) \(brief(request.body))"
    case .reply(let reply): "reply \(reply.requestID) \(brief(reply.body))"
    }
  }

  private static func brief(_ body: DataRequestBody) -> String {
    switch body {
    case .hello(let hello): "hello of generation \(hello.generation)"
    case .pull(let pull):
      "pull \(pull.version) of generation \(pull.generation), confirming \(pull.confirmed)"
    case .push(let push): "push \(push.kind) \(push.name)"
    case .reduce(let reduce): "reduce \(reduce.stage) \(reduce.name)"
    case .copy(let copy): "copy of version \(copy.version)"
    }
  }

  private static func brief(_ body: DataReplyBody) -> String {
    switch body {
    case .welcome: "welcome"
    case .pulled(let pulled): "pulled \(pulled.version)"
    case .pushed(let outcome): "pushed \(outcome)"
    case .reduced: "reduced"
    case .copied(let copied): "copied \(copied.isComplete)"
    case .refused(let refusal): "refused \(refusal)"
    }
  }
}
