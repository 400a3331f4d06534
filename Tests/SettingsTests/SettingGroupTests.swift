import Settings
import Testing

/// Declaring settings and holding their values.
@Suite struct SettingGroupTests {
  private enum Colour: String, SettingChoice { case red, green }

  private struct Paint: SettingGroup {
    let colour = Setting("colour", default: Colour.red, help: "What it looks like.")
    let layers = Setting(
      "layers", default: 2, .within(1...3), unit: "coats", help: "How often.")
    /// No setting.
    let note = "not listed"
  }

  private struct Varnish: SettingGroup {
    let layers = Setting(
      "layers", default: 2, .within(1...3), unit: "coats", help: "How often.")
  }

  @Test("every stored setting of a group is declared, in order")
  func declarations() {
    #expect(Paint.declarations.map(\.name) == ["colour", "layers"])
    #expect(
      Paint.declarations.map(\.expectation) == ["red or green", "a whole number, from 1 to 3"])
    #expect(NoSettings.declarations.isEmpty)
  }

  @Test("values begin at their defaults, and groups with the same setting share its value")
  func values() {
    var values = SettingValues<Paint>()
    #expect(values.colour == .red && values.layers == 2)
    values.colour = .green
    values.layers = 3
    #expect(values.colour == .green)
    var store = SettingStore()
    store[Paint.self] = values
    #expect(store[Varnish.self].layers == 3)
    #expect(store[Varnish().layers] == 3)
    #expect(store.value(of: Paint().colour).yaml == "green")
    store[Varnish.self].layers = 1
    #expect(store[Paint.self].layers == 1 && store[Paint.self].colour == .green)
  }

  @Test("declarations agree when all their parts are equal")
  func agreement() {
    let layers = Paint().layers
    #expect(layers.agrees(with: Varnish().layers))
    let others: [any SettingDeclaration] = [
      Setting("layers", default: 3, .within(1...3), unit: "coats", help: "How often."),
      Setting("layers", default: 2, .within(1...4), unit: "coats", help: "How often."),
      Setting("layers", default: 2, .within(1...3), help: "How often."),
      Setting("layers", default: 2, .within(1...3), unit: "coats", help: "How."),
      Setting("layers", default: 2.0, .within(1...3), unit: "coats", help: "How often."),
      Setting("coats", default: 2, .within(1...3), unit: "coats", help: "How often."),
    ]
    for other in others { #expect(!layers.agrees(with: other), "\(other)") }
  }
}
