import Telemetry
import Transport

/// The counters of a process's sockets.
struct NetworkMetrics: MetricSource {
  let role: String
  let statistics: TransportStatistics

  var families: [MetricFamily] {
    func family(
      _ name: String, _ help: String, _ label: String, _ values: [(String, Int)]
    ) -> MetricFamily {
      var family = MetricFamily(name, .counter, help)
      for (value, count) in values {
        family.add([.init("role", role), .init(label, value)], Double(count))
      }
      return family
    }
    return [
      family(
        "mrdib_network_bytes", "Bytes of messages, without the headers of the network.",
        "direction", [("sent", statistics.bytesSent), ("received", statistics.bytesReceived)]),
      family(
        "mrdib_network_messages", "Messages.", "direction",
        [("sent", statistics.messagesSent), ("received", statistics.messagesReceived)]),
      family(
        "mrdib_network_messages_dropped", "Messages that were not passed on, by reason.", "reason",
        [
          ("frames", statistics.messagesDropped), ("malformed", statistics.messagesMalformed),
          ("overloaded", statistics.messagesOverloaded),
          ("peer_gone", statistics.messagesUndelivered),
        ]),
      family(
        "mrdib_network_connections_refused",
        "Connections that were refused or closed before they were authenticated, by reason.",
        "reason",
        [
          ("key", statistics.keysRefused), ("handshake", statistics.handshakesFailed),
          ("displaced", statistics.connectionsDisplaced),
          ("no_room", statistics.connectionsRefused),
          ("oversized", statistics.connectionsOversized),
        ]),
    ]
  }
}
