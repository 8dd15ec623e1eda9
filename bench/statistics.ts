export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** `4,120 (3,980 to 4,300)`: the median, and what it lies between. */
export function formatSpread(values: readonly number[], digits = 0): string {
  const formatted = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    formatNumber(value, digits),
  )
  return `${formatted[0]} (${formatted[1]} to ${formatted[2]})`
}

export function formatNumber(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–'
  return value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits })
}

/** A B C A B C: other load of the machine affects all of them equally. */
export async function runInterleaved<Result>(
  contestants: Readonly<Record<string, () => Promise<Result>>>,
  rounds: number,
): Promise<Record<string, Result[]>> {
  const results: Record<string, Result[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const roundResults = results[name] ?? []
      results[name] = roundResults
      roundResults.push(await run())
    }
  }
  return results
}
