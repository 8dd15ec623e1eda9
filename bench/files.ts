/** Files that pass for what they are: their boxes and chunks are whole, their content is filling. */

export function mp4Of(bytes: number): Buffer {
  const brand = box('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'))
  const moov = box('moov', Buffer.alloc(0))
  return Buffer.concat([brand, moov, box('mdat', Buffer.alloc(bytes - brand.length - moov.length - 8, 7))])
}

function box(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(content.length + 8)
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, content])
}

/** A PNG's head and end around filling; `seed` makes it another file. */
export function pngOf(bytes: number, seed: number): Buffer {
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const header = Buffer.from('0000000d4948445200000400000004000802000000f07f68f5', 'hex')
  const end = Buffer.from('0000000049454e44ae426082', 'hex')
  const filling = Buffer.alloc(bytes - signature.length - header.length - end.length - 12, seed)
  const chunk = Buffer.alloc(8)
  chunk.writeUInt32BE(filling.length)
  chunk.write('IDAT', 4, 'latin1')
  return Buffer.concat([signature, header, chunk, filling, Buffer.alloc(4), end])
}
