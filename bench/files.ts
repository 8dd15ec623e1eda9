/** Files that pass for what they are: their boxes and chunks are whole, their content is filling. */

export function createMp4(bytes: number): Buffer {
  const fileType = createBox('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'))
  const moov = createBox('moov', Buffer.alloc(0))
  return Buffer.concat([
    fileType,
    moov,
    createBox('mdat', Buffer.alloc(bytes - fileType.length - moov.length - 8, 7)),
  ])
}

function createBox(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(content.length + 8)
  header.write(name, 4, 'latin1')
  return Buffer.concat([header, content])
}

/** A PNG's head and end around filling; `seed` makes it another file. */
export function createPng(bytes: number, seed: number): Buffer {
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  const header = Buffer.from('0000000d4948445200000400000004000802000000f07f68f5', 'hex')
  const end = Buffer.from('0000000049454e44ae426082', 'hex')
  const padding = Buffer.alloc(bytes - signature.length - header.length - end.length - 12, seed)
  const chunk = Buffer.alloc(8)
  chunk.writeUInt32BE(padding.length)
  chunk.write('IDAT', 4, 'latin1')
  return Buffer.concat([signature, header, chunk, padding, Buffer.alloc(4), end])
}
