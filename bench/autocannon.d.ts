/** What is used of it; the package brings no types. */
declare module 'autocannon' {
  type Load = {
    url: string
    method: string
    headers: Readonly<Record<string, string>>
    body?: string
    requests?: readonly { path: string }[]
    connections: number
    /** Seconds. */
    duration: number
    /** Seconds. */
    timeout: number
  }
  /** Latencies in ms, `duration` in seconds. */
  type Result = {
    requests: { total: number }
    latency: { p50: number; p99: number }
    duration: number
    non2xx: number
    errors: number
  }
  export default function autocannon(load: Load): Promise<Result>
}
