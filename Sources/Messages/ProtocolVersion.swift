/// The version of the wire protocol; its history is in `Proto/README.md`.
public enum ProtocolVersion {
  /// The version that this program speaks, and the only one it understands.
  public static let current: UInt32 = 3
}
