import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { type CompiledScript, compileScript } from './compile-script.ts'

type Value = string | number

/** The names in a text like `id dueAt`. */
type NamesIn<Text extends string> = Text extends `${infer First} ${infer Others}`
  ? First | NamesIn<Others>
  : Text extends ''
    ? never
    : Text

/** Names that TypeScript passes to a script, separated by spaces, in any order. */
type Names<KeyNames extends string, ArgNames extends string> = { keys: KeyNames; args: ArgNames }

type Call<KeyNames extends string, ArgNames extends string> = {
  keys: Readonly<Record<NamesIn<KeyNames>, string>>
  args: Readonly<Record<NamesIn<ArgNames>, Value>>
}

type Script<KeyNames extends string, ArgNames extends string> = CompiledScript & {
  names: Names<KeyNames, ArgNames>
}

type BatchScript<
  ArgNames extends string,
  EachKeys extends string,
  EachArgs extends string,
> = CompiledScript & { names: { args: ArgNames; each: Names<EachKeys, EachArgs> } }

/** Reads `lua/<path>.lua` (see `compileScript`). Throws where its header does not have exactly these names. */
export function loadScript<const KeyNames extends string, const ArgNames extends string>(
  path: string,
  names: Names<KeyNames, ArgNames>,
): Script<KeyNames, ArgNames> {
  const script = compileScript(path, readLua)
  requireSameNames(script, names, { keys: '', args: '' })
  return { ...script, names }
}

/** Like `loadScript`, for a script that is called for many items at once. */
export function loadBatchScript<
  const ArgNames extends string,
  const EachKeys extends string,
  const EachArgs extends string,
>(
  path: string,
  names: { args: ArgNames; each: Names<EachKeys, EachArgs> },
): BatchScript<ArgNames, EachKeys, EachArgs> {
  const script = compileScript(path, readLua)
  requireSameNames(script, { keys: '', args: names.args }, names.each)
  return { ...script, names }
}

/**
 * Makes a script a command of the connection. The returned function throws at once where a key or an argument is missing or unknown, which is a bug of ours;
 * it rejects only where Redis fails.
 */
export function defineScript<KeyNames extends string, ArgNames extends string>(
  redis: Redis,
  command: string,
  script: Script<KeyNames, ArgNames>,
) {
  redis.defineCommand(command, { lua: script.lua, numberOfKeys: script.keys.length })
  return <Reply>(call: Call<KeyNames, ArgNames>): Promise<Reply> =>
    runCommand(redis, command, listValues(script, call))
}

/** Like `defineScript`, for a script that is called for many items at once. */
export function defineBatchScript<ArgNames extends string, EachKeys extends string, EachArgs extends string>(
  redis: Redis,
  command: string,
  script: BatchScript<ArgNames, EachKeys, EachArgs>,
) {
  const { path, args, each, lua } = script
  redis.defineCommand(command, { lua })
  return <Reply>(call: {
    args: Readonly<Record<NamesIn<ArgNames>, Value>>
    items: readonly Call<EachKeys, EachArgs>[]
  }): Promise<Reply[]> => {
    const values: Value[] = [call.items.length * each.keys.length]
    for (const item of call.items) addInOrder(values, path, each.keys, item.keys)
    addInOrder(values, path, args, call.args)
    for (const item of call.items) addInOrder(values, path, each.args, item.args)
    return runCommand(redis, command, values)
  }
}

/** Runs a script that is needed too rarely to make it a command. Throws and rejects like a function of `defineScript`. */
export function runScript<KeyNames extends string, ArgNames extends string>(
  redis: Redis,
  script: Script<KeyNames, ArgNames>,
  call: Call<KeyNames, ArgNames>,
): Promise<unknown> {
  return redis.eval(script.lua, script.keys.length, ...listValues(script, call))
}

function runCommand<Reply>(redis: Redis, command: string, values: readonly Value[]): Promise<Reply> {
  const commands = redis as unknown as Record<string, (...values: readonly Value[]) => Promise<Reply>>
  return commands[command]?.(...values) ?? Promise.reject(new Error(`the connection has no ${command}`))
}

function listValues(
  { path, keys, args }: CompiledScript,
  call: Readonly<Record<'keys' | 'args', Readonly<Record<string, Value>>>>,
): Value[] {
  const values: Value[] = []
  addInOrder(values, path, keys, call.keys)
  addInOrder(values, path, args, call.args)
  return values
}

function addInOrder(
  target: Value[],
  path: string,
  order: readonly string[],
  values: Readonly<Record<string, Value>>,
): void {
  for (const name of order) {
    const value = values[name]
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new TypeError(`${path}.lua: ${name} is missing`)
    target.push(value)
  }
  if (Object.keys(values).length === order.length) return
  const unknownName = Object.keys(values).find((name) => !order.includes(name))
  throw new TypeError(`${path}.lua: ${unknownName} is not in its header`)
}

function requireSameNames(
  { path, each, ...script }: CompiledScript,
  names: Names<string, string>,
  eachNames: Names<string, string>,
): void {
  const pairs = [
    [script.keys, names.keys],
    [script.args, names.args],
    [each.keys, eachNames.keys],
    [each.args, eachNames.args],
  ] as const
  for (const [inHeader, passed] of pairs) {
    const header = [...inHeader].sort().join(' ')
    const sortedNames = passed.split(' ').sort().join(' ')
    if (header !== sortedNames)
      throw new Error(`${path}.lua: its header has "${header}", TypeScript passes "${sortedNames}"`)
  }
}

function readLua(path: string): string {
  return readFileSync(new URL(`lua/${path}.lua`, import.meta.url), 'utf8')
}
