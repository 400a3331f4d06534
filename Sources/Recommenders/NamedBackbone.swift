import Settings

/// A backbone that can be asked for by name.
///
/// A type that conforms and a line in ``ModelRegistry`` make a model; a program of your own passes
/// the type to its entry point instead. The command line, `config keys`, YAML files and the record
/// of a run take everything from here.
public protocol NamedBackbone: Backbone {
  /// The name in settings, in a–z, 0–9 and _.
  static var name: String { get }
  /// The settings that the model reads, its own and those of ``CommonSettings``.
  associatedtype Settings: SettingGroup = NoSettings
  /// Flat YAML of what differs from the defaults of the settings, with the source of each value.
  static var defaults: String { get }
  /// Whether it reads item features; then it is built only with at least one modality.
  static var needsFeatures: Bool { get }
  /// Whether MRdIB has a place in it: ``Backbone/content(on:_:)`` returns vectors.
  static var hasContent: Bool { get }

  /// Builds the model. It must need neither the values of features nor graphs for that: processes
  /// that do not compute build it for its list of tables.
  ///
  /// - Throws: ``ModelError`` for settings that do not go with the data.
  init(_ input: ModelInput, _ settings: SettingValues<Settings>) throws
}

extension NamedBackbone {
  public static var defaults: String { "" }
  public static var needsFeatures: Bool { false }
  public static var hasContent: Bool { false }

  /// The settings that the model reads, in the order of its declaration.
  package static var settings: [any SettingDeclaration] { Settings.declarations }
}
