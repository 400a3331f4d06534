import Files
import Testing

@Suite("Nearest name to a misspelt one")
struct NearestNameTests {
  private static let names = ["learning_rate", "epochs", "seed", "Visual"]

  @Test(
    "a word with a few wrong letters finds the name, whatever its case",
    arguments: [
      ("learnin_rate", "learning_rate"), ("epoch", "epochs"), ("Sede", "seed"),
      ("visaul", "Visual"),
    ])
  func slips(word: String, name: String) {
    #expect(NearestName.find(word, among: Self.names) == name)
  }

  @Test("another word, or a very short one, finds none", arguments: ["momentum", "", "x", "ab"])
  func others(word: String) {
    #expect(NearestName.find(word, among: Self.names) == nil)
  }

  @Test("of equally near names the first in the alphabet is taken, whatever their order")
  func ties() {
    #expect(NearestName.find("rove", among: ["rope", "robe"]) == "robe")
    #expect(NearestName.find("rove", among: ["robe", "rope"]) == "robe")
  }
}
