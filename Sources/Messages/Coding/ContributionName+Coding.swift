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
    // Of initial values and final vectors it is the number of a block.
    return ContributionName(
      generation: try generation(wire.generation), version: try version(wire.version),
      shard: try epochOrBlock(wire.shard, "shard"))
  }
}
