import Testing

/// Real sockets on loopback. One after the other: they measure time and share two cores.
@Suite("Transport", .serialized)
struct TransportTests {}
