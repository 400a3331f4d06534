/// The usual names of columns, in the order in which they are preferred.
enum ColumnNames {
  /// Letters and digits alone: `user_id`, `userId` and `User ID` are one name.
  static func plain(_ name: String) -> String {
    String(name.lowercased().unicodeScalars.filter { $0.properties.isAlphabetic || $0.isDigit })
  }

  static func usual(_ role: ColumnRole) -> [String] {
    switch role {
    case .user:
      [
        "userid", "user", "uid", "reviewerid", "customerid", "memberid", "visitorid", "playerid",
        "profileid", "accountid", "customer", "reviewer", "username", "useridx", "u",
      ]
    case .item:
      [
        "itemid", "parentasin", "asin", "productid", "movieid", "bookid", "artistid", "trackid",
        "songid", "videoid", "newsid", "articleid", "businessid", "gameid", "appid", "recipeid",
        "animeid", "jokeid", "courseid", "postid", "venueid", "poiid", "isbn", "iid", "pid", "mid",
        "item", "product", "movie", "book", "artist", "track", "song", "video", "anime", "game",
        "itemidx", "i",
      ]
    case .rating:
      ["rating", "ratings", "overall", "stars", "score", "userrating", "bookrating", "starrating"]
    case .time:
      [
        "timestamp", "unixreviewtime", "time", "unixtime", "ts", "datetime", "date", "eventtime",
        "createdat", "reviewdate", "reviewtime", "timestampms", "sorttimestamp",
      ]
    case .label: ["xlabel"]
    }
  }

  /// Whether a name that is not usual says that the column has times: `purchased_at`, `loginTime`.
  static func isTimeLike(_ name: String) -> Bool {
    let lower = name.lowercased()
    return lower.hasSuffix("_at") || name.hasSuffix("At") || lower.contains("date")
      || lower.contains("time")
  }

  /// The usual names of columns that describe items.
  static let title = ["title", "name", "itemname", "movietitle", "booktitle", "producttitle"]
  static let categories = [
    "categories", "category", "genres", "genre", "class", "tags", "maincategory", "maincat",
  ]
  static let text = ["description", "text", "abstract", "summary", "plot", "overview", "features"]

  /// The position of the most preferred name that occurs.
  static func find(_ usual: [String], among names: [String]) -> Int? {
    let plain = names.map { self.plain($0) }
    return usual.lazy.compactMap { plain.firstIndex(of: $0) }.first
  }
}

extension Unicode.Scalar {
  fileprivate var isDigit: Bool { ("0"..."9").contains(self) }
}
