/** Small changes to the Lua in `*.lua` files, one at a time: Stryker mutates JavaScript and TypeScript only. */

export type Change = { start: number; end: number; replacement: string; name: string }

type Token = { kind: 'name' | 'number' | 'string' | 'operator'; text: string; start: number }

/** The changes for a file, in order; none for a file that is not Lua. */
export function findChanges(file: string, text: string): Change[] {
  return file.endsWith('.lua') ? changesIn(tokenize(text), text) : []
}

const pattern =
  /(?<skip>\s+|--\[\[[\s\S]*?\]\]|--[^\n]*)|(?<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<number>\d+(?:\.\d+)?(?:e\d+)?)|(?<name>[A-Za-z_]\w*)|(?<operator>\.\.\.|\.\.|==|~=|<=|>=|.)/gy

function tokenize(text: string): Token[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const kind = (['string', 'number', 'name', 'operator'] as const).find(
      (name) => match.groups?.[name] !== undefined,
    )
    return kind === undefined ? [] : [{ kind, text: match[0], start: match.index }]
  })
}

const swaps: Readonly<Record<string, readonly string[]>> = {
  '==': ['~='],
  '~=': ['=='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  and: ['or'],
  or: ['and'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  true: ['false'],
  false: ['true'],
  not: [''],
}

function changesIn(tokens: readonly Token[], text: string): Change[] {
  const changes: Change[] = []
  const replace = (token: Token, replacement: string, name: string, end = token.start + token.text.length) =>
    changes.push({ start: token.start, end, replacement, name })

  tokens.forEach((token, index) => {
    const before = tokens[index - 1]
    for (const other of swaps[token.text] ?? []) {
      const unaryMinus = token.text === '-' && !isOperand(before)
      replace(token, unaryMinus ? '' : other, 'operator')
    }
    if (token.kind === 'number') replace(token, String(Number(token.text) + 1), 'number')
    if (token.kind === 'string' && token.text.length > 2 && !isCommandName(tokens, index)) {
      replace(token, "''", 'string')
    }
    if (token.text === 'if' || token.text === 'elseif' || token.text === 'while') {
      const last = tokens.findIndex(({ text }, at) => at > index && (text === 'then' || text === 'do'))
      const first = tokens[index + 1]
      const end = tokens[last - 1]
      if (first !== undefined && end !== undefined) {
        for (const value of token.text === 'while' ? ['false'] : ['true', 'false'])
          replace(first, value, 'condition', end.start + end.text.length)
      }
    }
    const end = startsStatement(tokens, index, text) ? endOfCall(tokens, index) : undefined
    if (end !== undefined) replace(token, '', 'statement', end)
  })
  return changes
}

function isOperand(token: Token | undefined): boolean {
  if (token === undefined) return false
  if (token.kind === 'name') return !/^(and|or|not|return|then|else|do|in)$/.test(token.text)
  return token.kind !== 'operator' || /^[)\]}]$/.test(token.text)
}

/** `redis.call('SET'`: a different name is not a command. */
function isCommandName(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 1]?.text === '(' && /^p?call$/.test(tokens[index - 2]?.text ?? '')
}

/** A name at the beginning of a line, or after a word that begins a block. */
function startsStatement(tokens: readonly Token[], index: number, text: string): boolean {
  const token = tokens[index]
  if (
    token?.kind !== 'name' ||
    /^(local|return|if|else|elseif|end|for|while|do|break|function|then|and|or|not)$/.test(token.text)
  )
    return false
  const before = tokens[index - 1]
  if (before === undefined || /^(then|else|do)$/.test(before.text)) return true
  const line = text.slice(text.lastIndexOf('\n', token.start) + 1, token.start)
  return line.trim() === '' && !/^[,({=]|and|or|\.\.|[+*/-]$/.test(before.text)
}

/** Where a call that is a statement of its own ends; `undefined` where it is something else, an assignment for one. */
function endOfCall(tokens: readonly Token[], index: number): number | undefined {
  let at = index + 1
  while (tokens[at]?.text === '.' && tokens[at + 1]?.kind === 'name') at += 2
  if (tokens[at]?.text !== '(') return undefined
  for (let depth = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token?.text === '(') depth += 1
    if (token?.text === ')') depth -= 1
    if (token !== undefined && depth === 0) return token.start + 1
  }
  return undefined
}
