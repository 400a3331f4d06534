internal import Messages

/// Requests that were sent and are not answered yet, each under its number. Numbers are never used
/// again, so that a late answer meets no other request.
struct OutstandingRequests: Sendable {
  struct Entry: Sendable {
    let server: Int
    let request: DataRequest
    let firstSentAt: Double
    var sentAt: Double
    var attempts = 1
    /// The server did not know who asked: the request goes out again when it has welcomed us.
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

  /// The request that an answer of a server is to.
  func entry(_ id: UInt64, of server: Int) -> Entry? {
    guard let entry = entries[id], entry.server == server else { return nil }
    return entry
  }

  mutating func add(_ body: DataRequestBody, to server: Int, at now: Double) -> DataRequest {
    let request = number(body)
    entries[request.id] = Entry(server: server, request: request, firstSentAt: now, sentAt: now)
    return request
  }

  /// A request that is kept by somebody else.
  mutating func number(_ body: DataRequestBody) -> DataRequest {
    defer { nextID += 1 }
    return DataRequest(id: nextID, body: body)
  }

  /// Since when each server owes an answer, of those that do.
  var owedSince: [Int: Double] {
    entries.values.reduce(into: [:]) { result, entry in
      result[entry.server] = min(result[entry.server] ?? .infinity, entry.firstSentAt)
    }
  }

  mutating func remove(_ id: UInt64) { entries[id] = nil }

  mutating func removeAll() { entries.removeAll() }

  /// Drops what asks for rows or totals.
  mutating func removePullsAndReduces() {
    entries = entries.filter { entry in
      switch entry.value.request.body {
      case .pull, .reduce: false
      case .hello, .push: true
      }
    }
  }

  /// A server that answers, if only that it cannot yet, need not be asked ever more rarely.
  mutating func askAgain(_ id: UInt64, at now: Double) {
    entries[id]?.sentAt = now
    entries[id]?.attempts = 1
  }

  mutating func awaitWelcome(_ id: UInt64) { entries[id]?.awaitsWelcome = true }

  /// What a server did not take before it welcomed us, to be sent again.
  mutating func welcomed(by server: Int, at now: Double) -> [Entry] {
    resend(at: now) { $0.server == server && $0.awaitsWelcome }
  }

  /// What has waited for its answer for so long that it is to be sent again.
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
