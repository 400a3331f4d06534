import Foundation
import Runtime
import TestSupport
import Testing
import Transport

@Suite("The socket at which a coordinator or server listens")
struct ListeningSocketTests {
  @Test("its file is made again when it is removed, and its folder is waited for")
  func removed() throws {
    let files = FileManager.default
    let folder = try TemporaryFolder()
    let parent = "\(folder.path)/s"
    let path = "\(parent)/server"
    try files.createDirectory(atPath: parent, withIntermediateDirectories: false)
    let context = try ZeroMQContext()
    let loop = try NetworkLoop<Int>(context: context)
    let socket = try ListeningSocket("ipc://\(path)", label: "mrdib.server", on: loop)
    #expect(files.fileExists(atPath: path))

    try files.removeItem(atPath: path)
    socket.tick(at: 0, on: loop)
    #expect(files.fileExists(atPath: path))

    // It is looked at once a second.
    try files.removeItem(atPath: path)
    socket.tick(at: 0.5, on: loop)
    #expect(!files.fileExists(atPath: path))
    socket.tick(at: 1, on: loop)
    #expect(files.fileExists(atPath: path))

    // The folder belongs to another process, which makes it again.
    try files.removeItem(atPath: parent)
    socket.tick(at: 2, on: loop)
    #expect(!files.fileExists(atPath: parent))
    try files.createDirectory(atPath: parent, withIntermediateDirectories: false)
    socket.tick(at: 3, on: loop)
    #expect(files.fileExists(atPath: path))
    #expect("\(socket.listener.endpoint)" == "ipc://\(path)")
  }
}
