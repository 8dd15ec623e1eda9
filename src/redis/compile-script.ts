type Order = { keys: readonly string[]; args: readonly string[] }

export type CompiledScript = Order & {
  path: string
  lua: string
  /** Of a script for many items: what each of them has. */
  each: Order
}

const documentedName = /^-- (KEYS|ARGV) (each )?(\w+) +\S/

/** Keywords and globals of Lua that scripts use. */
const reservedNames = new Set(
  `and break do else elseif end false for function if in local nil not or repeat return then true until while
  cjson ipairs math next pairs pcall redis string table tonumber tostring type unpack`.split(/\s+/),
)

/**
 * Compiles the Lua script `<path>.lua`, whose keys and arguments have names. The comments at its top document each of them in one line. These lines are the
 * only place that knows the order:
 *
 *     -- KEYS job        hash: the record
 *     -- ARGV dueAt      unix ms: by when the step must have been written
 *     -- KEYS each open  in a script for many items: one per item
 *     -- USES job        in `lib/`: names that an including script must have
 *     -- @include ledger
 *
 * The result declares a local variable per name. Then follow the included files of `lib/`, each once, and the script itself. In a script for many items, the
 * line `-- @item n` declares the variables of item `n`, and `itemCount` is how many there are. `read` returns the text of a file.
 */
export function compileScript(path: string, read: (path: string) => string): CompiledScript {
  const { header, body } = splitHeader(read(path))
  const namesOf = (prefix: string) => {
    const lines = header.map((line) => documentedName.exec(line))
    return lines.flatMap((match) =>
      match?.[3] && `${match[1]} ${match[2] ?? ''}` === prefix ? [match[3]] : [],
    )
  }
  const keys = namesOf('KEYS ')
  const args = namesOf('ARGV ')
  const each = { keys: namesOf('KEYS each '), args: namesOf('ARGV each ') }
  const names = [...keys, ...args, ...each.keys, ...each.args]

  const fail = (problem: string): never => {
    throw new Error(`${path}.lua: ${problem}`)
  }
  const undocumented = header.find((line) => /^-- (KEYS|ARGV)\b/.test(line) && !documentedName.test(line))
  if (undocumented !== undefined) fail(`"${undocumented}" needs a name and a description`)
  const duplicate = names.find((name, index) => reservedNames.has(name) || names.indexOf(name) !== index)
  if (duplicate !== undefined) fail(`the name ${duplicate} is taken`)
  if (each.keys.length > 0 && keys.length > 0) fail('a script for many items has keys per item only')

  const included = readIncluded(header, read, names)
  const code = [...included, body].join('\n')
  if (/\b(KEYS|ARGV)\b/.test(code.replaceAll(/--.*$/gm, ''))) fail('read keys and arguments by name')
  const lua = [
    declareLocals(keys, 'KEYS', 0),
    declareLocals(args, 'ARGV', 0),
    each.keys.length > 0 ? `local itemCount = #KEYS / ${each.keys.length}` : '',
    code.replaceAll('-- @item n', () =>
      joinLines([
        declareLocals(each.keys, 'KEYS', 0, true),
        declareLocals(each.args, 'ARGV', args.length, true),
      ]),
    ),
  ]
  return { path, keys, args, each, lua: joinLines(lua) }
}

/** The bodies of included files, each once and after those that it includes itself. */
function readIncluded(
  header: readonly string[],
  read: (path: string) => string,
  names: readonly string[],
  seen = new Set<string>(),
): string[] {
  const paths = header.flatMap((line) => /^-- @include ([\w-]+)$/.exec(line)?.[1] ?? [])
  return paths.flatMap((path) => {
    if (seen.has(path)) return []
    seen.add(path)
    const library = splitHeader(read(`lib/${path}`))
    const used = library.header.flatMap((line) => /^-- USES (.+)$/.exec(line)?.[1]?.split(' ') ?? [])
    const missing = used.find((name) => !names.includes(name))
    if (missing !== undefined)
      throw new Error(`lib/${path}.lua uses ${missing}, which the script does not have`)
    return [...readIncluded(library.header, read, names, seen), library.body]
  })
}

/** The header ends at the first line that is no comment. */
function splitHeader(text: string): { header: string[]; body: string } {
  const lines = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('--'))
  return { header: lines.slice(0, end), body: lines.slice(end).join('\n').trim() }
}

function declareLocals(
  names: readonly string[],
  table: 'KEYS' | 'ARGV',
  offset: number,
  isPerItem = false,
): string {
  if (names.length === 0) return ''
  const [first, last] = isPerItem
    ? [`(n - 1) * ${names.length} + ${offset + 1}`, `n * ${names.length} + ${offset}`]
    : [offset + 1, offset + names.length]
  return `local ${names.join(', ')} = unpack(${table}, ${first}, ${last})`
}

function joinLines(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n')
}
