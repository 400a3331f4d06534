/// An npy file of format version 1 with this header, however wrong.
func npy(_ header: String, _ payload: [UInt8]) -> [UInt8] {
  let text = Array(header.utf8)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)]
    + text + payload
}
