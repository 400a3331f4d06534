import CProcess
import ForeignText

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// What this process says, where it may not be possible to say anything.
public enum ProcessOutput {
  /// Lets this process outlive those who read what it says: writing for nobody is an error of the
  /// call from now on, and ends no training. Call it first thing in a program.
  public static func outliveReaders() { cprocess_ignore_broken_pipes() }

  /// Writes a line to stderr, or loses it: a log on a full disk ends no training. (Foundation's
  /// `FileHandle.write` ends the process then.) What a terminal would obey is replaced: a line may
  /// quote what others wrote.
  public static func writeError(_ line: String) {
    cprocess_write_error(line.printable() + "\n")
  }

  /// What became of what was printed to stdout, after a last attempt to write it.
  public enum Delivery: Equatable {
    case complete
    /// Who read it has left.
    case unwanted
    /// With the system's reason.
    case lost(String)
  }

  public static func deliver() -> Delivery {
    switch cprocess_flush_output() {
    case 0: .complete
    case EPIPE: .unwanted
    case let number: .lost(String(cString: strerror(number)))
    }
  }
}
