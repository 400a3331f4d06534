import Protocol
import TestSupport

extension ProtobufBytes {
  var payload: Payload { .copying(bytes) }

  /// A header of the current version.
  static let header = ProtobufBytes().number(1, UInt64(ProtocolVersion.current))
}
