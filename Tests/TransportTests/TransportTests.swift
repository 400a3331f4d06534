import Testing

/// Real sockets on loopback. Serialized: the tests measure time and share two cores.
@Suite("Transport", .serialized)
struct TransportTests {}
