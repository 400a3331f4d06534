import Web

/// Where a process answers requests for metrics.
package struct TelemetrySettings: Sendable {
  package var address: WebAddress
  /// The file of the token that requests must contain; nil: none.
  package var tokenFile: String?
  /// Where the process leaves its address while it runs, and its last metrics; nil: nowhere.
  package var folder: String?

  package init(address: WebAddress, tokenFile: String? = nil, folder: String? = nil) {
    self.address = address
    self.tokenFile = tokenFile
    self.folder = folder
  }

  /// The settings of the process with a number in a cluster on this machine: the port that many
  /// further on, or a free one if the first port is free to choose.
  ///
  /// - Throws: ``RuntimeError`` if there is no such port.
  func of(process number: Int) throws -> TelemetrySettings {
    guard address.port != 0 else { return self }
    guard let port = UInt16(exactly: Int(address.port) + number) else {
      throw RuntimeError(
        exitCode: .usage,
        message: "Cannot give process \(number) of the cluster a port for --telemetry: ports count "
          + "up from \(address.port) and end at 65535; choose a lower one, or 0 for free ports.")
    }
    var settings = self
    settings.address = WebAddress(host: address.host, port: port)
    return settings
  }

  /// The options that give a child process these settings.
  var arguments: [String] {
    ["--telemetry=\(address)"] + (tokenFile.map { ["--telemetry-token=\($0)"] } ?? [])
      + (folder.map { ["--telemetry-folder=\($0)"] } ?? [])
  }
}
