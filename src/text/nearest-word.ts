/** The candidate that a misspelled word most likely means, if one is similar enough. */
export function findNearestWord(word: string, candidates: readonly string[]): string | undefined {
  const lowercaseWord = word.toLowerCase().slice(0, 80)
  const maxDistance = Math.max(1, Math.floor(lowercaseWord.length / 4))
  let bestMatch: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const distance = editDistance(lowercaseWord, candidate.toLowerCase())
    if (distance <= maxDistance && distance < (bestMatch?.distance ?? Infinity))
      bestMatch = { candidate, distance }
  }
  return bestMatch?.candidate
}

/** The Levenshtein distance. */
export function editDistance(left: string, right: string): number {
  let previousRow = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (let row = 1; row <= left.length; row++) {
    const currentRow = [row]
    for (let column = 1; column <= right.length; column++) {
      const replacementCost = (previousRow[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1)
      currentRow.push(
        Math.min(replacementCost, (previousRow[column] ?? 0) + 1, (currentRow[column - 1] ?? 0) + 1),
      )
    }
    previousRow = currentRow
  }
  return previousRow[right.length] ?? 0
}
