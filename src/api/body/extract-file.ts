import { readDataUrlHead } from '../../catalogue/media-values/data-url.ts'
import type { DataUrlUpload, UploadBuffer } from '../../media/inputs/upload-buffer.ts'

/** The longest head of a data URL. */
const maxHeadCharacters = 4096

/**
 * Opens a temporary file for a long text of a media field, if the text is a data URL or bare base64. `start`: its first characters;
 * the first `skip` of them are not content.
 */
export async function extractFile(
  uploadBuffer: Pick<UploadBuffer, 'receiveDataUrl'>,
  text: string,
): Promise<{ file: DataUrlUpload; skip: number } | undefined> {
  const start = text.slice(0, maxHeadCharacters)
  const dataUrlHead = readDataUrlHead(start)
  if (dataUrlHead !== undefined) {
    return {
      file: await uploadBuffer.receiveDataUrl(dataUrlHead.type, { base64: dataUrlHead.base64 }),
      skip: dataUrlHead.length,
    }
  }
  if (!/^[\w+/=\s-]+$/.test(start)) return undefined
  return { file: await uploadBuffer.receiveDataUrl('', { base64: true }), skip: 0 }
}
