internal import CZeroMQ

extension ZeroMQContext {
  /// Version of the library in use, such as `4.3.4`.
  public static var libraryVersion: String {
    var (major, minor, patch): (CInt, CInt, CInt) = (0, 0, 0)
    zmq_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }
}
