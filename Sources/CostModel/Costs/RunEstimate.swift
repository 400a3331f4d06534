import Datasets
import Foundation
import Runtime

/// Makes the costs of a run: of one whose data there is, or of one of given sizes.
package struct RunEstimate: Sendable {
  /// The sizes of data that there is not.
  package struct Sizes: Sendable {
    package var users: Int
    package var items: Int
    /// Of training, validation and test together; of ten, eight are for training.
    package var interactions: Int
    package var modalities: [ModalitySize]
    package var popularity: PopularityLaw

    package init(
      users: Int, items: Int, interactions: Int, modalities: [ModalitySize],
      popularity: PopularityLaw
    ) {
      self.users = users
      self.items = items
      self.interactions = interactions
      self.modalities = modalities
      self.popularity = popularity
    }
  }

  package let size: RunSize
  package let calibration: Calibration
  /// Bytes of memory of a process that has loaded nothing: of this one, before it did.
  package let program: Int

  /// Of a run on data that there is.
  ///
  /// - Throws: errors with a sentence when settings or data are wrong, or the probe fails.
  package init(
    _ request: RunRequest, effort: Calibration.Effort = .init(), showsProgress: Bool = false
  ) throws {
    program = ProcessMemory.residentBytes
    let setup = try request.load(showsProgress: showsProgress)
    size = RunSize(setup)
    calibration = try Calibration(
      ProbeConfiguration(request, modalities: size.modalities), users: size.users,
      items: size.items, counts: size.counts, effort: effort)
  }

  /// Of a run on data of these sizes.
  ///
  /// - Throws: errors with a sentence when settings are wrong, or the probe fails.
  package init(
    _ request: RunRequest, sizes: Sizes, effort: Calibration.Effort = .init()
  ) throws {
    program = ProcessMemory.residentBytes
    let train = sizes.interactions * 4 / 5
    let counts = InteractionCounts(
      users: sizes.users, items: sizes.items, interactions: train, popularity: sizes.popularity)
    let probe = try ProbeConfiguration(request, modalities: sizes.modalities)
    size = try RunSize(
      counts, users: sizes.users, items: sizes.items, heldOut: sizes.interactions - train,
      modalities: probe.modalities, of: probe)
    calibration = try Calibration(
      probe, users: sizes.users, items: sizes.items, counts: counts, effort: effort)
  }

  /// - Throws: `CheckpointError` for tables that no checkpoint can hold.
  package func costs() throws -> RunCosts { try RunCosts(size, calibration, program: program) }
}
