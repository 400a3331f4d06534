import ArgumentParser
import Runtime

/// The option of the commands that lead a run.
struct ResumeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "auto: continue the run that the run directory holds; never: refuse a folder that holds "
        + "one; or the folder to continue from.", valueName: "auto|never|folder"),
    transform: { try ResumeChoice(argument: $0) })
  var resume = ResumeChoice.auto
}
