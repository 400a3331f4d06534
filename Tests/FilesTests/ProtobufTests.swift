import Files
import Testing

@Suite struct ProtobufTests {
  @Test("the encoding of protocol buffers, by their documentation's examples")
  func encoding() {
    var writer = ProtobufWriter()
    writer.integer(1, 150)
    #expect(writer.bytes == [0x08, 0x96, 0x01])
    writer = ProtobufWriter()
    writer.text(2, "testing")
    #expect(writer.bytes == [0x12, 0x07] + Array("testing".utf8))
    writer = ProtobufWriter()
    writer.message(3) { $0.integer(1, 150) }
    #expect(writer.bytes == [0x1A, 0x03, 0x08, 0x96, 0x01])
    writer = ProtobufWriter()
    writer.integer(1, -2)
    #expect(writer.bytes == [0x08, 0xFE] + [UInt8](repeating: 0xFF, count: 8) + [0x01])
    writer = ProtobufWriter()
    writer.float(2, 1)
    writer.double(3, -2)
    writer.doubles(6, [1])
    #expect(
      writer.bytes == [
        0x15, 0, 0, 0x80, 0x3F, 0x19, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0x32, 8, 0, 0, 0, 0, 0, 0, 0xF0,
        0x3F,
      ])
  }

  @Test("fields are read back, and the reader ends where the bytes do")
  func reading() throws {
    var writer = ProtobufWriter()
    writer.integer(16, .min)
    writer.double(2, 1)
    writer.text(3, "ä")
    writer.float(4, 1)
    var reader = ProtobufFieldReader(writer.bytes[...])
    var fields: [ProtobufFieldReader.Field] = []
    while !reader.isAtEnd {
      let field = reader.next()
      fields.append(try #require(field))
    }
    #expect(fields.map(\.number) == [16, 2, 3, 4])
    #expect(
      fields[0].integer == 1 << 63 && fields[2].content.map { [UInt8]($0) } == Array("ä".utf8))
    for length in 1..<writer.bytes.count {
      var part = ProtobufFieldReader(writer.bytes.prefix(length))
      var count = 0
      while !part.isAtEnd, part.next() != nil { count += 1 }
      #expect(count < 4)
    }
  }
}

@Suite struct MaskedCRC32CTests {
  @Test("the checksums of RFC 3720, and of \"123456789\"")
  func vectors() {
    #expect(MaskedCRC32C.unmasked(Array("123456789".utf8)) == 0xE306_9283)
    #expect(MaskedCRC32C.unmasked([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(MaskedCRC32C.unmasked([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(MaskedCRC32C.unmasked(0..<32) == 0x46DD_794E)
  }
}
