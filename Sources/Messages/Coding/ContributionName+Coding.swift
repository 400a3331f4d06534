internal import CWireMessages

extension HeaderArena {
  mutating func name(
    _ name: ContributionName
  ) -> UnsafeMutablePointer<Mrdib__V1__ContributionName> {
    let wire = make(mrdib__v1__contribution_name__init)
    wire.pointee.generation = name.generation
    wire.pointee.version = name.version
    wire.pointee.shard = name.shard
    return wire
  }
}

extension WireReader {
  func name(
    _ pointer: UnsafeMutablePointer<Mrdib__V1__ContributionName>?
  ) throws(WireError) -> ContributionName {
    let wire = try required(pointer, "contribution name")
    return ContributionName(generation: wire.generation, version: wire.version, shard: wire.shard)
  }
}
