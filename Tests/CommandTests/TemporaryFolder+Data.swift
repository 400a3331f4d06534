import Datasets
import Foundation
import Tensors
import TestSupport

extension TemporaryFolder {
  /// A data set in which more users and items come after the first 50 and 40.
  ///
  /// - Parameter firstID: the original id of the first user.
  func writeNumberedData(
    _ name: String, users: Int, items: Int, firstID: String = "u0"
  ) throws -> String {
    let data = "\(path)/\(name)"
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    var text = "userID\titemID\tx_label\n"
    for user in 0..<users {
      for index in 0..<8 {
        let item = user < 50 ? (user * 3 + index * 5) % 40 : (user * 3 + index * 6) % items
        text += "\(user)\t\(item)\t\(max(0, index - 5))\n"
      }
    }
    try write(text, to: "\(name)/\(name).inter")
    for (file, columns) in [("image_feat", 5), ("text_feat", 4)] {
      let features = Matrix(rows: items, columns: columns)
      for index in 0..<features.count {
        features.pointer[index] = Float((index * 37) % 101) / 50 - 1
      }
      try NPYWriter.write(features, to: "\(data)/\(file).npy")
    }
    let ids = { (kind: String, count: Int, first: String) in
      "\(kind)ID\tid\n"
        + (0..<count).map { "\($0)\t\($0 == 0 ? first : "\(kind)\($0)")\n" }.joined()
    }
    try write(ids("user", users, firstID), to: "\(name)/users.tsv")
    try write(ids("item", items, "i0"), to: "\(name)/items.tsv")
    return data
  }
}
