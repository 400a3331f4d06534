/// Settings that belong together, such as those of a model. Every stored property that is a
/// ``Setting`` belongs to the group: to add a setting, add a property.
///
///     struct Settings: SettingGroup {
///       let layers = Setting("n_layers", default: 2, .within(1...16), help: "Propagations.")
///     }
public protocol SettingGroup: Sendable {
  init()
}

/// A group without settings.
public struct NoSettings: SettingGroup {
  public init() {}
}

extension SettingGroup {
  /// The settings in the order in which they are declared.
  package static var declarations: [any SettingDeclaration] {
    Mirror(reflecting: Self()).children.compactMap { $0.value as? any SettingDeclaration }
  }
}

/// The values of the settings of one group, by the names of its properties: `values.layers`.
@dynamicMemberLookup
public struct SettingValues<Group: SettingGroup>: Sendable {
  private let group = Group()
  /// Values by name, of this group and of others.
  package var store: SettingStore

  /// - Parameter store: settings that it does not hold have their defaults.
  public init(_ store: SettingStore = SettingStore()) { self.store = store }

  public subscript<Value>(dynamicMember path: KeyPath<Group, Setting<Value>>) -> Value {
    get { store[group[keyPath: path]] }
    set { store[group[keyPath: path]] = newValue }
  }
}

/// Values of settings by name; the others have their defaults.
public struct SettingStore: Sendable {
  private var values: [String: any SettingValue]

  public init() { values = [:] }

  /// - Parameter values: by name, each of its setting's type.
  package init(_ values: [String: any SettingValue]) { self.values = values }

  /// The value of a setting.
  ///
  /// - Precondition: no setting of another type has its name.
  public subscript<Value>(_ setting: Setting<Value>) -> Value {
    get {
      guard let value = values[setting.name] else { return setting.defaultValue }
      guard let typed = value as? Value else {
        preconditionFailure("\(setting.name) is declared twice with different types")
      }
      return typed
    }
    set { values[setting.name] = newValue }
  }

  /// The values of a group.
  public subscript<Group: SettingGroup>(_ group: Group.Type) -> SettingValues<Group> {
    get { SettingValues(self) }
    set { self = newValue.store }
  }

  /// The value of a setting of any type.
  package func value(of setting: any SettingDeclaration) -> any SettingValue {
    values[setting.name] ?? setting.anyDefault
  }
}
