import ArgumentParser
import Page
import Runtime
import Web

/// What readers of a page need.
struct PageTokenOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      A file with a token that the page asks for; needed where other machines reach it (default: \
      no token).
      """,
      valueName: "file"), completion: .file())
  var pageToken: String?
}

/// The options of the commands that show what they train on a page.
struct PageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Serve a live page of the run, or of the runs of a sweep, at this address: HOST:PORT, or a \
      PORT of this machine alone; 0 is a free one (default: no page).
      """, valueName: "address"))
  var page: String?

  @OptionGroup var protection: PageTokenOptions

  func validate() throws {
    guard page != nil || protection.pageToken == nil else {
      throw ValidationError("--page-token has no effect without --page; give both or none.")
    }
    // Before anything is begun.
    do { if let page { _ = try WebAddress(page) } } catch {
      throw ValidationError("--page: \(error)")
    }
  }

  /// The same options for the process that serves the page.
  var arguments: [String] {
    (page.map { ["--page=\($0)"] } ?? [])
      + (protection.pageToken.map { ["--page-token=\($0)"] } ?? [])
  }

  /// Begins to serve the page, if one is asked for. The server ends with the returned value.
  ///
  /// - Throws: `WebError` if the address or the token cannot be used.
  func serve(_ observer: RunObserver, isQuiet: Bool) throws -> WebServer? {
    guard let page else { return nil }
    let source = PageSite.Source(
      runs: {
        guard let overview = observer.overview() else { return PageSite.Source.nothingYet }
        let entry = PageListing.Entry(overview, key: "")
        let listing = PageListing(title: overview.run.name, isLive: true, runs: [entry])
        return (try? listing.encoded()) ?? PageSite.Source.nothingYet
      },
      run: { key, since in
        guard key.isEmpty else { return nil }
        return observer.encodedOverview(since: since) ?? PageSite.Source.nothingYet
      })
    return try Self.serve(source, at: page, tokenFile: protection.pageToken, isQuiet: isQuiet)
  }

  /// Begins to serve the page of a folder of runs that this process trains, if one is asked for.
  func serve(_ watched: WatchedFolder, isQuiet: Bool) throws -> WebServer? {
    try page.map {
      try Self.serve(
        Self.source(watched), at: $0, tokenFile: protection.pageToken, isQuiet: isQuiet)
    }
  }

  /// The runs in a folder, from their files.
  static func source(_ watched: WatchedFolder) -> PageSite.Source {
    PageSite.Source(
      runs: { (try? watched.listing().encoded()) ?? PageSite.Source.nothingYet },
      run: { key, since in try? watched.overview(of: key, since: since)?.encoded() })
  }

  /// Serves a page and prints where.
  static func serve(
    _ source: PageSite.Source, at address: String, tokenFile: String?, isQuiet: Bool
  ) throws -> WebServer {
    let token = try tokenFile.map { path throws(WebError) in try WebToken(file: path) }
    let site = PageSite(source)
    let server = try WebServer(address: WebAddress(address), token: token) { site.respond(to: $0) }
    if let warning = server.exposureWarning {
      StandardError.write("warning: the page at \(warning); give one with --page-token")
    }
    if !isQuiet {
      let query = tokenFile == nil ? "" : "?token=… (the token of the file)"
      StandardError.write("page: \(server.url)/\(query)")
    }
    return server
  }
}
