import Protocol

/// A message as it arrives at a node. The node knows from the connection which kind it must be.
package protocol ReceivedMessage: Sendable {
  func nodeMessage() throws(WireError) -> NodeMessage
  func coordinatorEnvelope() throws(WireError) -> CoordinatorEnvelope
  func dataRequest() throws(WireError) -> DataRequest
  func dataReply() throws(WireError) -> DataReply
}

/// A message from a socket is decoded here.
extension WireMessage: ReceivedMessage {
  package func nodeMessage() throws(WireError) -> NodeMessage { try NodeMessage(decoding: self) }

  package func coordinatorEnvelope() throws(WireError) -> CoordinatorEnvelope {
    try CoordinatorEnvelope(decoding: self)
  }

  package func dataRequest() throws(WireError) -> DataRequest { try DataRequest(decoding: self) }

  package func dataReply() throws(WireError) -> DataReply { try DataReply(decoding: self) }
}

/// A message that stays within one process: nothing is encoded.
package enum MemoryMessage: Sendable, ReceivedMessage {
  case node(NodeMessage)
  case coordinator(CoordinatorEnvelope)
  case request(DataRequest)
  case reply(DataReply)

  package func nodeMessage() throws(WireError) -> NodeMessage {
    guard case .node(let message) = self else { throw .unexpectedKind }
    return message
  }

  package func coordinatorEnvelope() throws(WireError) -> CoordinatorEnvelope {
    guard case .coordinator(let envelope) = self else { throw .unexpectedKind }
    return envelope
  }

  package func dataRequest() throws(WireError) -> DataRequest {
    guard case .request(let request) = self else { throw .unexpectedKind }
    return request
  }

  package func dataReply() throws(WireError) -> DataReply {
    guard case .reply(let reply) = self else { throw .unexpectedKind }
    return reply
  }
}

extension WireError {
  fileprivate static var unexpectedKind: WireError {
    WireError(.malformed, "A message of another kind was expected on this connection.")
  }
}
