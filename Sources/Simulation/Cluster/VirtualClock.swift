/// A queue of events by time; time passes only from one event to the next. Events of the same time
/// happen in the order in which they were planned.
struct VirtualClock<Event> {
  private struct Entry {
    let time: Double
    let number: UInt64
    let event: Event

    func isBefore(_ other: Entry) -> Bool {
      time < other.time || (time == other.time && number < other.number)
    }
  }

  /// Seconds since the beginning.
  private(set) var now = 0.0
  private var nextNumber: UInt64 = 0
  /// A binary heap, the next event first.
  private var heap: [Entry] = []

  /// Plans an event for so many seconds from now.
  mutating func after(_ delay: Double, _ event: Event) {
    heap.append(Entry(time: now + max(0, delay), number: nextNumber, event: event))
    nextNumber += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].isBefore(heap[parent]) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// The next event; nil when nothing is planned.
  mutating func next() -> Event? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sift()
    }
    now = first.time
    return first.event
  }

  private mutating func sift() {
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
