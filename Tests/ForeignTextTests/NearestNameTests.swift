import ForeignText
import Testing

@Suite("What a misspelt name was meant to be")
struct NearestNameTests {
  private static let names = ["learning_rate", "epochs", "seed", "Visual"]

  @Test(
    "a slip of a few letters finds the name, capitals or not",
    arguments: [
      ("learnin_rate", "learning_rate"), ("epoch", "epochs"), ("Sede", "seed"),
      ("visaul", "Visual"),
    ])
  func slips(word: String, name: String) {
    #expect(NearestName.find(word, among: Self.names) == name)
  }

  @Test("another word, or next to nothing, finds none", arguments: ["momentum", "", "x", "ab"])
  func others(word: String) {
    #expect(NearestName.find(word, among: Self.names) == nil)
  }

  @Test("of names that are as near the first in the alphabet is taken, whatever their order")
  func ties() {
    #expect(NearestName.find("rove", among: ["rope", "robe"]) == "robe")
    #expect(NearestName.find("rove", among: ["robe", "rope"]) == "robe")
  }
}
