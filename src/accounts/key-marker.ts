import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export type KeyMarker = ReturnType<typeof createKeyMarker>

type KeyMarkerOptions = { dataDir: string; redisPrefix: string; logger: KeyMarkerLogger }
type KeyMarkerLogger = { warn(details: { file: string; code: string | undefined }, message: string): void }

const markerText = `An API key has existed for this gateway, so it never again accepts requests without one,
although Redis may have lost the keys. Delete this file and restart to accept them again.
`

/** A file that records that an API key has existed, because Redis may lose its data. */
export function createKeyMarker({ dataDir, redisPrefix, logger }: KeyMarkerOptions) {
  const safePrefix = redisPrefix.replace(/:$/, '').replace(/[^\w.-]/g, '_')
  const file = join(dataDir, `api-keys-exist.${safePrefix}`)
  let isSet = existsSync(file)
  let writing: Promise<void> | undefined

  return {
    file,
    isSet: (): boolean => isSet,

    /** Takes effect immediately. If the file cannot be written, the marker is lost when the process ends. */
    set(): Promise<void> {
      if (isSet) return writing ?? Promise.resolve()
      isSet = true
      writing = mkdir(dirname(file), { recursive: true })
        .then(() => writeFile(file, markerText))
        .catch((cause: NodeJS.ErrnoException) => {
          const message =
            'the marker file of API keys could not be written; without it, authentication is disabled if Redis loses its data'
          logger.warn({ file, code: cause.code }, message)
        })
      return writing
    },
  }
}
