import Configuration
import Recommenders
import Settings
import Testing

@Test(
  "numbers mean what they look like, in files and assignments",
  arguments: [
    ("1e-3", 1e-3), ("1E-3", 1e-3), (".5e1", 5), ("5.", 5), ("1e-05", 1e-5), ("0.25", 0.25),
    ("'0.5'", 0.5), ("+2", 2),
  ])
func numbers(text: String, value: Double) throws {
  #expect(try resolve("learning_rate: \(text)").training.learningRate == value)
  #expect(try resolve(setting: "learning_rate=\(text)").training.learningRate == value)
}

@Test("a whole number may be written with an exponent")
func wholeNumbers() throws {
  #expect(try resolve("epochs: 1e3").training.epochs == 1000)
  #expect(try resolve("seed: 9223372036854775807").training.seed == .max)
}

@Test(
  "a value that is not a number is refused with its place",
  arguments: ["abc", "inf", ".inf", "nan", ".nan", "0x10", "1e999", "1:30", "[1]", "{a: 1}", "''"])
func notNumbers(text: String) throws {
  let message = try message(of: "seed: 1\nlearning_rate: \(text)")
  #expect(message.hasPrefix("run.yaml:2:16: learning_rate is "))
  #expect(message.contains("expected a number, from 1e-12 to 100"))
}

@Test(
  "a value that is not a whole number is refused",
  arguments: ["1.5", "99999999999999999999", "1e30", "true", "1_000"])
func notWholeNumbers(text: String) throws {
  #expect(try message(of: "epochs: \(text)").contains("expected a whole number"))
}

@Test("a leading zero is refused: YAML readers disagree whether it means octal")
func octal() throws {
  #expect(try message(of: "epochs: 010").contains("octal"))
}

@Test(
  "truth values have all the spellings of YAML 1.1", arguments: ["no", "Off", "FALSE", "false"])
func truthValues(text: String) throws {
  #expect(try resolve("stochastic: \(text)").mrdib.isStochastic == false)
  #expect(try message(of: "stochastic: 0").contains("expected true or false"))
}

@Test("where a word is expected, 'no' is a word and not false")
func wordsThatLookLikeTruthValues() throws {
  let message = try message(of: "compat: no")
  #expect(message.contains("compat is 'no'; expected none or mmrec"))
}

@Test("a key without a value is an error, not a default", arguments: ["", "~", "null", "# later"])
func noValue(text: String) throws {
  let message = try message(of: "epochs: \(text)\n")
  #expect(message.contains("run.yaml:1:") && message.contains("epochs has no value"))
}

@Test("lists are written in brackets, on separate lines, or as a single value")
func lists() throws {
  #expect(try resolve("topk: [20, 5]").selection.cutoffs == [20, 5])
  #expect(try resolve("topk:\n  - 10\n  - 20\n").selection.cutoffs == [10, 20])
  #expect(try resolve(setting: "topk=20").selection.cutoffs == [20])
  #expect(try resolve(setting: "topk=[10, 20]").selection.cutoffs == [10, 20])
  let both = [Modality(name: "visual", file: "image_feat.npy"), Modality(name: "text", file: "t")]
  #expect(
    try resolve(setting: "modalities=[visual:image_feat.npy, text:t]").data.modalities == both)
}

@Test(
  "malformed lists are refused",
  arguments: [
    "topk: []", "topk: [5, 0, 20]", "topk: [20, ~]", "topk: [[20]]", "topk: [20, x]",
    "topk: [20000000000]", "modalities: [image_feat.npy]", "modalities: ['a:x', 'a:y']",
    "modalities: ['Ä:x']", "modalities: ['a:']",
  ])
func malformedLists(yaml: String) throws {
  let name = yaml.prefix { $0 != ":" }
  let message = try message(of: yaml)
  #expect(message.contains("run.yaml:1:") && message.contains("\(name) is a list of "))
  #expect(message.contains("expected a list, each element "))
}

@Test(
  "values out of range are refused with the range",
  arguments: [
    ("epochs: 0", "from 1 to 1000000"), ("reg_weight: -1", "0, or from 1e-09 to 1000000"),
    ("learning_rate: 1e-60", "from 1e-12 to 100"), ("mi_learning_rate: 1e-20", "from 1e-12"),
    ("alpha1: 1e-60", "0, or from 1e-09"), ("adam_beta1: 0.99999999999", "as a 32-bit float"),
    ("dropout: 0.99999999999", "as a 32-bit float"), ("lr_decay: 1e-60", "it is 0 or infinite"),
    ("lr_decay_period: 1e60", "it is 0 or infinite"), ("logvar_max: 1e-60", "it is 0 or infinite"),
    ("stopping_step: 4294967296", "from 0 to"), ("eval_step: 4294967296", "from 1 to"),
    ("mi_cap: 31", "from 0.001 to 30"), ("adam_beta1: 1", "from 0 to below 1"),
    ("seed: -1", "at least 0"), ("checkpoint_folder: ck", "an absolute path"),
  ])
func ranges(yaml: String, range: String) throws {
  #expect(try message(of: yaml).contains(range))
}

@Test("an empty text is a value where it is allowed, and a missing value says how to write it")
func emptyText() throws {
  #expect(
    try message(of: "checkpoint_folder:").hasSuffix(
      "has no value; expected text, an absolute path, s3://BUCKET/PREFIX, or empty "
        + "(an empty text is written \"\")"))
  #expect(try resolve("checkpoint_folder: \"\"").checkpoints.folder.isEmpty)
  #expect(!(try message(of: "epochs:").contains("empty text")))
}

@Test("a decay that leaves nothing of the learning rate after an epoch is refused")
func decayToNothing() throws {
  #expect(
    try message(of: "lr_decay: 0.01\nlr_decay_period: 0.1\n").contains("leaves nothing of the"))
  #expect(try resolve("lr_decay: 0.5\nlr_decay_period: 1\n").training.decay == 0.5)
}

@Test(
  "metrics are checked by name and cutoff",
  arguments: ["recal@20", "recall", "recall@", "recall@0", "recall@x", "@20", "recall@5@5"])
func metrics(text: String) throws {
  #expect(try message(of: "selection_metric: '\(text)'").contains("a metric such as recall@20"))
}
