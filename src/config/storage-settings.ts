import type { Reader } from './reader.ts'

export type S3Settings = {
  bucket: string
  region: string
  /** Absent: Amazon's own. */
  endpoint?: string
  /** Absent: where the SDK finds them, as on a machine with a role. */
  credentials?: { accessKeyId: string; secretAccessKey: string }
  forcePathStyle: boolean
  /** How long a connection may take, and how long one may be silent. A transfer that goes on may take any time. */
  timeoutMs: number
}

const megabyte = 1024 * 1024

/** Input files, results and the library: where they are stored, how large they may be, and how results are downloaded. */
export function readStorageSettings(read: Reader) {
  return {
    s3: readS3Settings(read),
    results: read.choice('RESULTS', ['store', 'link'], 'store'),
    resultsKeptMs: read.integer('RESULT_DAYS', 7, 1, 365) * 86_400_000,
    libraryKeptMs: read.integer('LIBRARY_DAYS', 30, 1, 365) * 86_400_000,
    /** The largest input file, in bytes. */
    mediaLimits: {
      image: read.integer('IMAGE_MAX_MB', 30, 1, 1024) * megabyte,
      video: read.integer('VIDEO_MAX_MB', 200, 1, 4096) * megabyte,
      audio: read.integer('AUDIO_MAX_MB', 50, 1, 1024) * megabyte,
    },
    /** The most that one API key stores: its library, and the input files of its recent jobs. */
    quotaBytes: read.integer('STORAGE_QUOTA_MB', 10_240, 1, 100_000_000) * megabyte,
    /** Limits of the download of results from upstreams. */
    downloads: {
      largestBytes: read.integer('RESULT_MAX_MB', 4096, 1, 1_000_000) * megabyte,
      bytesPerSecond: read.integer('RESULT_MIN_KB_PER_SECOND', 8, 0, 1_000_000) * 1024,
      windowMs: read.integer('RESULT_STALL_SECONDS', 20, 1, 600) * 1000,
      total: read.integer('RESULT_DOWNLOADS', 100, 1, 1000),
      perHost: read.integer('RESULT_DOWNLOADS_PER_HOST', 50, 1, 1000),
    },
    /** How long the download of a result, and its storage, are retried. */
    delivery: {
      timeoutMs: read.integer('RESULT_TIMEOUT_SECONDS', 1800, 1, 86_400) * 1000,
      graceMs: read.integer('RESULT_GRACE_SECONDS', 600, 1, 86_400) * 1000,
      storageRetryMs: read.integer('RESULT_RETRY_HOURS', 24, 1, 720) * 3_600_000,
    },
    storage: {
      probeMs: read.integer('STORE_PROBE_SECONDS', 30, 1, 3600) * 1000,
      floorBytes: read.integer('DISK_FREE_FLOOR_MB', 512, 0, 1_000_000) * megabyte,
    },
    ffmpeg: read.text('FFMPEG_PATH') ?? 'ffmpeg',
  }
}

/** The bucket that stores files; `undefined`: they are stored on disk. */
function readS3Settings(read: Reader): S3Settings | undefined {
  const bucket = read.text('S3_BUCKET')
  const endpoint = read.url('S3_ENDPOINT')
  const accessKeyId = read.secret('S3_ACCESS_KEY')
  const secretAccessKey = read.secret('S3_SECRET_KEY')
  if (bucket === undefined) {
    if (endpoint !== undefined) read.problems.push('S3_ENDPOINT is set, but S3_BUCKET does not name a bucket')
    return undefined
  }
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    read.problems.push('S3_ACCESS_KEY and S3_SECRET_KEY must be set together')
  }
  return {
    bucket,
    region: read.text('S3_REGION') ?? 'us-east-1',
    timeoutMs: read.integer('S3_TIMEOUT_SECONDS', 30, 1, 600) * 1000,
    forcePathStyle:
      read.choice('S3_FORCE_PATH_STYLE', ['true', 'false'], endpoint === undefined ? 'false' : 'true') ===
      'true',
    ...(endpoint !== undefined && { endpoint }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  }
}

/** A message if credentials of a bucket are set without the bucket. */
export function findIncompleteBucket(read: Reader): string[] {
  if (read.text('S3_BUCKET') !== undefined) return []
  const setVariables = ['S3_ACCESS_KEY', 'S3_SECRET_KEY'].filter(
    (name) => read.text(name) !== undefined || read.text(`${name}_FILE`) !== undefined,
  )
  return setVariables.length === 0
    ? []
    : [`S3: ${setVariables.join(' and ')} set, S3_BUCKET is missing: files are stored on disk`]
}
