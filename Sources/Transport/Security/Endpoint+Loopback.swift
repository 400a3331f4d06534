internal import Glibc

extension Endpoint {
  /// Whether only processes of this machine reach it: a Unix socket or a loopback address. A name
  /// is not looked up, because it may mean something else to libzmq.
  public var isOnThisMachine: Bool {
    guard case .tcp(let host, _) = kind else { return true }
    var v4 = in_addr()
    if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
    return host == "[::1]"
  }
}
