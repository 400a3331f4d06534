public import Settings

/// What is read.
public struct DataKeys: SettingGroup {
  public let folder = Setting<String>(
    "data", default: "", influencesResult: false,
    help: "The data set's folder, as the coordinator sees it; a worker's --data says where its own"
      + " copy lies. Empty: the generated data set.")
  public let digest = Setting<String>(
    "data_digest", default: "", .contentDigestOrEmpty,
    help: "What the run found in the folder; workers with other data are refused. Written by the"
      + " coordinator, not by people.")
  public let modalities = Setting<[Modality]>(
    "modalities", default: [], .distinctNames,
    help: "Item features to use, in order, as name:file. Empty: what the data set's folder holds.")

  public init() {}
}
