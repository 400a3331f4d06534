import Settings
import Testing

/// What a program adds to the built-in models, metrics and estimators.
@Suite struct RegistryTests {
  private func registry() -> Registry<String> { Registry("model", ["bpr", "vbpr"]) { $0 } }

  @Test("added elements are listed after the built-in ones")
  func adding() throws {
    let registry = registry()
    try registry.add(["mine"])
    try registry.add([])
    #expect(registry.sealed() == ["bpr", "vbpr", "mine"])
  }

  @Test(
    "names that exist or have other characters are refused with a sentence",
    arguments: [
      (["bpr"], "there is a model of that name"), (["a", "a"], "there is a model of that name"),
      (["My Model"], "a name consists of a–z, 0–9 and _"), ([""], "a name consists of"),
    ])
  func names(added: [String], sentence: String) {
    let error = #expect(throws: RegistrationError.self) { try registry().add(added) }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test("nothing can be added once the list was read: the program would use two lists")
  func sealed() {
    let registry = registry()
    #expect(registry.sealed().count == 2)
    let error = #expect(throws: RegistrationError.self) { try registry.add(["mine"]) }
    #expect(error?.description.contains("add it when the program starts") == true)
    #expect(registry.sealed().count == 2)
  }
}
