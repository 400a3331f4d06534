import CExpat

/// An element of an XML document: what answers of an object store consist of.
///
/// Documents with a type declaration are refused, and with it all entities of their own; depth and
/// number of elements are bounded.
package struct XMLElement: Sendable, Equatable {
  /// Without namespace.
  package let name: String
  package fileprivate(set) var text = ""
  package fileprivate(set) var children: [XMLElement] = []

  static let mostElements = 100_000
  static let mostDepth = 16

  fileprivate init(name: String) { self.name = name }

  /// The text of the first child of this name; nil if there is none.
  package func first(_ name: String) -> String? { children.first { $0.name == name }?.text }

  /// All children of this name.
  package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The root of a document.
  ///
  /// - Throws: ``S3Error`` `malformed` with what is not XML, or beyond the bounds.
  package init(parsing document: [UInt8]) throws(S3Error) {
    guard document.count < Int(Int32.max), let parser = XML_ParserCreate(nil) else {
      throw S3Error(.malformed, "its answer has \(document.count) bytes")
    }
    defer { XML_ParserFree(parser) }
    let builder = XMLBuilder(parser)
    XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
    XML_SetElementHandler(
      parser,
      { data, name, _ in XMLBuilder.of(data)?.begin(name.map { String(cString: $0) } ?? "") },
      { data, _ in XMLBuilder.of(data)?.end() })
    XML_SetCharacterDataHandler(parser) { data, text, count in
      guard let text, count > 0 else { return }
      XMLBuilder.of(data)?.append(
        UnsafeRawBufferPointer(start: text, count: Int(count)))
    }
    XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
      XMLBuilder.of(data)?.refuse("a document type")
    }
    let status = document.withUnsafeBytes { bytes in
      XML_Parse(
        parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), 1)
    }
    let problem = withExtendedLifetime(builder) { builder.problem }
    guard status == XML_STATUS_OK, problem == nil, let root = builder.root else {
      let reason =
        problem ?? XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "empty"
      throw S3Error(
        .malformed,
        "its answer is not the XML of an object store (\(reason)); check AWS_ENDPOINT_URL")
    }
    self = root
  }
}

/// Collects elements while a document is parsed.
private final class XMLBuilder {
  private let parser: XML_Parser
  /// The open elements, outermost first, and the finished root.
  private var open: [XMLElement] = []
  private(set) var root: XMLElement?
  private var count = 0
  private(set) var problem: String?
  private var bytes: [[UInt8]] = []

  init(_ parser: XML_Parser) { self.parser = parser }

  static func of(_ data: UnsafeMutableRawPointer?) -> XMLBuilder? {
    data.map { Unmanaged<XMLBuilder>.fromOpaque($0).takeUnretainedValue() }
  }

  func begin(_ name: String) {
    count += 1
    guard count <= XMLElement.mostElements, open.count < XMLElement.mostDepth else {
      return refuse("too many elements")
    }
    open.append(XMLElement(name: name))
    bytes.append([])
  }

  func append(_ text: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    bytes[bytes.count - 1] += text
  }

  func end() {
    guard var element = open.popLast(), let text = bytes.popLast() else { return }
    element.text = String(decoding: text, as: UTF8.self)
    if open.isEmpty {
      root = element
    } else {
      open[open.count - 1].children.append(element)
    }
  }

  func refuse(_ reason: String) {
    problem = reason
    XML_StopParser(parser, XML_Bool(XML_FALSE))
  }
}
