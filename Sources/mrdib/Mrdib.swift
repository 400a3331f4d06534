import Commands

@main
enum Mrdib {
  static func main() { MRdIBProgram.main() }
}
