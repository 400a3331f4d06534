import Commands

@main
enum Program {
  static func main() {
    MRdIBProgram.main(models: [MarginFactorization.self], metrics: [.hitRate])
  }
}
