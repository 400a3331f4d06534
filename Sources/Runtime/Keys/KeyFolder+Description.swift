import Foundation
import Transport

extension KeyFolder {
  /// What the folder holds and is good for, in lines for people; no secret is among them.
  ///
  /// - Throws: as ``security(listens:)``: what cannot be used is said, not shown.
  public func lines() throws -> [String] {
    guard case .curve(let keys) = try security(listens: canListen) else { return [] }
    let node = try KeyFile.load(nodeSecret, .secret)
    var lines = [
      "cluster\t\(keys.clusterKey)", "this node\t\(keys.node.publicKey)\t\(node.name)",
    ]
    guard let listening = keys.listening else {
      return lines + ["good for\tworkers: it has no cluster.secret"]
    }
    for (key, name) in listening.allowed.sorted(by: { $0.value < $1.value }) {
      lines.append("allowed\t\(key)\t\(name)")
    }
    if listening.allowed[keys.node.publicKey] == nil {
      lines.append("warning\tthis node's own key is not allowed here")
    }
    return lines + ["good for\tcoordinator, servers and workers"]
  }
}
