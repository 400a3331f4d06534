import Foundation

/// A regular file that accepts no byte: every write fails, as on a full disk. (`/dev/full` fails
/// likewise, but is a device, and our code writes only to regular files.)
public final class FullDiskFile: Sendable {
  public let path: String
  private let descriptor: Int32

  public init() throws {
    typealias Create = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32
    // Swift's Glibc does not have it.
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "memfd_create") else {
      throw CocoaError(.featureUnsupported)
    }
    let allowSealing: UInt32 = 2
    descriptor = unsafeBitCast(symbol, to: Create.self)("sealed", allowSealing)
    let addSeals: Int32 = 1033
    let sealGrowth: Int32 = 4
    guard descriptor >= 0, fcntl(descriptor, addSeals, sealGrowth) == 0 else {
      throw CocoaError(.featureUnsupported)
    }
    path = "/proc/self/fd/\(descriptor)"
  }

  deinit { close(descriptor) }
}
