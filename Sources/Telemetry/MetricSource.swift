/// The numbers of one part of a process at one time, which become metrics when they are read.
package protocol MetricSource: Sendable {
  var families: [MetricFamily] { get }
}
