import Checkpoints
import Files
import Foundation

/// `events.jsonl`: what happened during a run besides its epochs, one JSON object on a line: nodes
/// that joined, were lost or refused, checkpoints, recoveries, the end.
///
///     {"at":12.1,"kind":"lost","position":3.2,"severity":"warning","text":"…","time":"…"}
///
/// It is for those who read and show a run: nothing is resumed from it. So a line is not
/// synchronised to the disk, a line that cannot be written is left out, and beyond 4 MiB only ends
/// are added.
struct EventLog {
  /// Of the file, bytes.
  private static let sizeLimit = 4 << 20
  /// Of what is read, bytes.
  private static let readLimit = 8 << 20

  private let path: String
  private var file: FileDescriptor?
  private var size = 0

  init(path: String) {
    self.path = path
    file = try? FileDescriptor(path, .append, purpose: "write the events '\(path)'")
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    size = (attributes?[.size] as? Int) ?? 0
    endLastLine()
  }

  /// Ends a line that a process left incomplete when it was killed, so that the next event has a
  /// line of its own.
  private mutating func endLastLine() {
    let newline = UInt8(ascii: "\n")
    guard size > 0, let bytes = try? PlainFile.contents(of: path, atMost: Self.readLimit),
      let last = bytes.last, last != newline
    else { return }
    try? file?.writeAll([newline], purpose: "write the events '\(path)'")
    size += 1
  }

  mutating func append(_ event: RunOverview.Event) {
    guard size < Self.sizeLimit || event.kind == "end",
      let line = try? ResultJSON.encode(event, isPretty: false)
    else { return }
    try? file?.writeAll(line, purpose: "write the events '\(path)'")
    size += line.count
  }

  /// The events of a file, as many as overviews have; none if there is no such file. Lines that
  /// cannot be read, such as a last one that is incomplete, are left out.
  static func read(_ path: String) -> [RunOverview.Event] {
    guard let bytes = try? PlainFile.contents(of: path, atMost: readLimit) else { return [] }
    var events = ObservedEvents()
    let decoder = JSONDecoder()
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let event = try? decoder.decode(RunOverview.Event.self, from: Data(line)),
        event.at.isFinite, event.position.isFinite
      else { continue }
      events.add(event)
    }
    return events.all
  }
}
