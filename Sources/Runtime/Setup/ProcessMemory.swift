import CProcess

/// How this process deals with memory that it frees.
public enum ProcessMemory {
  /// Keeps freed memory for the next step instead of giving it back.
  ///
  /// A step of a model with large tables allocates and frees messages of 100 MiB and more. By
  /// default each of them is mapped, faulted in page by page and unmapped again: measured, half of
  /// the CPU time of a cluster that trains MGCN with 4,096 columns of features. What is kept is
  /// bounded by what a step needs at once.
  ///
  /// Call it first thing in a program.
  public static func keepForReuse() { cprocess_keep_memory() }

  /// Bytes that are resident and that nobody has allocated; 0 where that is not known.
  static var unusedBytes: Int { Int(clamping: cprocess_unused_memory()) }

  /// Gives freed memory back to the system.
  static func release() { cprocess_release_memory() }
}
