import Settings

/// What is read.
package struct DataKeys: SettingGroup {
  package let folder = Setting<String>(
    "data", default: "", influencesResult: false,
    help: "The data set's folder, as the coordinator sees it; a worker's --data says where its own"
      + " copy lies. Empty: the generated data set.")
  package let digest = Setting<String>(
    "data_digest", default: "", .contentDigestOrEmpty,
    help: "What the run found in the folder; workers with other data are refused. Written by the"
      + " coordinator, not by people.")
  package let modalities = Setting<[Modality]>(
    "modalities", default: [], .distinctNames,
    help: "Item features to use, in order, as name:file. Empty: what the data set's folder holds.")

  package init() {}
}
