import Protocol

/// Sent requests without a reply, by id. Ids are never reused, so that a late reply cannot match
/// another request.
struct OutstandingRequests: Sendable {
  struct Entry: Sendable {
    let server: Int
    let request: DataRequest
    let firstSentAt: Double
    var sentAt: Double
    var attempts = 1
    /// The server did not know this worker: the request is sent again after the server's welcome.
    var awaitsWelcome = false
  }

  private var entries: [UInt64: Entry] = [:]
  private var nextID: UInt64 = 1

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  var hasPushes: Bool {
    entries.values.contains { if case .push = $0.request.body { true } else { false } }
  }

  var hasGreetings: Bool { entries.values.contains(where: Self.isGreeting) }

  func isGreeting(_ server: Int) -> Bool {
    entries.values.contains { $0.server == server && Self.isGreeting($0) }
  }

  private static func isGreeting(_ entry: Entry) -> Bool {
    if case .hello = entry.request.body { true } else { false }
  }

  /// The request with an id, if it was sent to `server`.
  func entry(_ id: UInt64, of server: Int) -> Entry? {
    guard let entry = entries[id], entry.server == server else { return nil }
    return entry
  }

  mutating func add(_ body: DataRequestBody, to server: Int, at now: Double) -> DataRequest {
    let request = number(body)
    entries[request.id] = Entry(server: server, request: request, firstSentAt: now, sentAt: now)
    return request
  }

  /// Gives a request an id without recording it here; the caller keeps track of it.
  mutating func number(_ body: DataRequestBody) -> DataRequest {
    defer { nextID += 1 }
    return DataRequest(id: nextID, body: body)
  }

  /// The time since when each server owes a reply; servers that owe none are left out.
  var owedSince: [Int: Double] {
    entries.values.reduce(into: [:]) { result, entry in
      result[entry.server] = min(result[entry.server] ?? .infinity, entry.firstSentAt)
    }
  }

  mutating func remove(_ id: UInt64) { entries[id] = nil }

  mutating func removeAll() { entries.removeAll() }

  /// Drops requests for rows and totals.
  mutating func removePullsAndReduces() {
    entries = entries.filter { entry in
      switch entry.value.request.body {
      case .pull, .reduce: false
      case .hello, .push, .copy: true
      }
    }
  }

  /// Resets the retry back-off: the server is alive but not ready.
  mutating func resetBackOff(_ id: UInt64, at now: Double) {
    entries[id]?.sentAt = now
    entries[id]?.attempts = 1
  }

  mutating func awaitWelcome(_ id: UInt64) { entries[id]?.awaitsWelcome = true }

  /// The requests that a server refused before its welcome, to be sent again.
  mutating func welcomed(by server: Int, at now: Double) -> [Entry] {
    resend(at: now) { $0.server == server && $0.awaitsWelcome }
  }

  /// The requests whose retry interval has passed, to be sent again.
  mutating func overdue(at now: Double, limits: ServerConversation.Limits) -> [Entry] {
    resend(at: now) { entry in
      let wait = limits.resendInterval * Double(1 << min(entry.attempts - 1, 16))
      return !entry.awaitsWelcome && now - entry.sentAt >= min(wait, limits.longestInterval)
    }
  }

  private mutating func resend(at now: Double, where isDue: (Entry) -> Bool) -> [Entry] {
    entries.keys.sorted().compactMap { id in
      guard var entry = entries[id], isDue(entry) else { return nil }
      entry.attempts += 1
      entry.sentAt = now
      entry.awaitsWelcome = false
      entries[id] = entry
      return entry
    }
  }
}
