internal import Synchronization

/// All choices of one kind, such as the models or the metrics. A program can add its own before the
/// list is read for the first time; after that the list is fixed.
package final class Registry<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element]
    var isSealed = false
  }

  private let kind: String
  private let name: @Sendable (Element) -> String
  private let state: Mutex<State>

  /// - Parameters:
  ///   - kind: in the singular, for messages: `model`.
  ///   - builtIn: in the order in which they are listed.
  ///   - name: of an element, in settings.
  package init(
    _ kind: String, _ builtIn: [Element], name: @escaping @Sendable (Element) -> String
  ) {
    self.kind = kind
    self.name = name
    state = Mutex(State(elements: builtIn))
  }

  /// Appends elements.
  ///
  /// - Throws: ``RegistrationError`` for a name that exists or has other characters than a–z, 0–9
  ///   and _, and when the list was read before.
  package func add(_ elements: [Element]) throws(RegistrationError) {
    let problem = state.withLock { state -> String? in
      for element in elements {
        let name = name(element)
        guard !state.isSealed else {
          return "the \(kind)s were used before; add it when the program starts"
        }
        guard isPlainName(name) else { return "a name consists of a–z, 0–9 and _" }
        guard !state.elements.contains(where: { self.name($0) == name }) else {
          return "there is a \(kind) of that name; choose another"
        }
        state.elements.append(element)
      }
      return nil
    }
    guard let problem else { return }
    let names = elements.map { "'\(name($0))'" }.joined(separator: ", ")
    throw RegistrationError(description: "Cannot add the \(kind) \(names): \(problem).")
  }

  /// The list; from now on it is fixed.
  package func sealed() -> [Element] {
    state.withLock { state in
      state.isSealed = true
      return state.elements
    }
  }
}

/// Whether a name consists of a–z, 0–9 and _ only, so that it can stand in files, tables and
/// options without quotes.
package func isPlainName(_ name: String) -> Bool {
  !name.isEmpty
    && name.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains($0) }
}

/// Why a program's own element cannot be added, as a sentence.
public struct RegistrationError: Error, CustomStringConvertible {
  public let description: String

  package init(description: String) { self.description = description }
}

/// A type that lists all choices of one kind by name, such as the optimizers.
public protocol NameRegistry: Sendable {
  /// The names in settings, the default first.
  static var names: [String] { get }
}

/// One of the names of a registry, as the value of a setting.
public struct RegisteredName<Registry: NameRegistry>: SettingChoice {
  public static var allCases: [Self] { Registry.names.map(Self.init(known:)) }

  public let rawValue: String

  /// Nil if the registry has no such name.
  public init?(rawValue: String) {
    guard Registry.names.contains(rawValue) else { return nil }
    self.init(known: rawValue)
  }

  private init(known name: String) { rawValue = name }

  /// - Precondition: the registry is not empty.
  public static var standard: Self { allCases[0] }
}
