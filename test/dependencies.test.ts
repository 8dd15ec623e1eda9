import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { providers } from '../providers/index.ts'

const root = resolve(import.meta.dirname, '..')
const files = globSync('{src,providers}/**/*.{ts,tsx,js}', { cwd: root }).sort()
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** Path of a file -> the project's files that it imports, types included. */
const imports = new Map(files.map((file) => [file, importsOf(file)]))
const edges = [...imports].flatMap(([file, targets]) => targets.map((target) => ({ file, target })))

/** Folder -> the folders that it may import, as CONTRIBUTING's table says. */
const allowed = new Map(
  [...tableOf('Dependency direction').matchAll(/^\| (.+?) \|(.*?)\|$/gm)]
    .slice(2)
    .map(([, folder = '', targets = '']) => [namesIn(folder)[0] ?? '', namesIn(targets)]),
)

describe('dependency direction', () => {
  it('each folder imports only what the table in CONTRIBUTING allows', () => {
    const forbidden = edges.filter(({ file, target }) => {
      const [from, to] = [folderOf(file), folderOf(target)]
      return from !== to && !allowed.get(from)?.includes(to)
    })
    assert.deepEqual(forbidden.map(describeEdge), [])
  })

  it('the table lists exactly the folders and the edges that exist', () => {
    const used = new Map(files.map((file) => [folderOf(file), new Set<string>()]))
    for (const { file, target } of edges)
      if (folderOf(file) !== folderOf(target)) used.get(folderOf(file))?.add(folderOf(target))
    const sorted = (table: Map<string, Iterable<string>>) =>
      [...table].map(([folder, targets]) => [folder, [...targets].sort()]).sort()
    assert.deepEqual(sorted(allowed), sorted(used))
  })

  it('no folders import each other, directly or indirectly', () => {
    assert.deepEqual(cyclesOf(allowed), [])
  })

  it('no subfolders of one folder import each other', () => {
    const graph = new Map<string, Set<string>>()
    for (const { file, target } of edges) {
      const [from, to] = [dirname(file), dirname(target)]
      if (folderOf(file) !== folderOf(target) || isWithin(from, to) || isWithin(to, from)) continue
      graph.set(from, (graph.get(from) ?? new Set()).add(to))
    }
    assert.deepEqual(cyclesOf(graph), [])
  })

  it('no files import each other', () => {
    assert.deepEqual(cyclesOf(imports), [])
  })

  it('a provider imports only its own folder and the shared files of providers/', () => {
    const crossings = edges.filter(({ file, target }) => {
      const provider = providerOf(file)
      return provider !== undefined && providerOf(target) !== undefined && providerOf(target) !== provider
    })
    assert.deepEqual(crossings.map(describeEdge), [])
  })
})

describe('exported names', () => {
  it('no two files export the same name', () => {
    const filesByName = new Map<string, Set<string>>()
    for (const file of files)
      for (const [, name = ''] of textOf(file).matchAll(
        /^export (?:abstract |async )?(?:class|const|function\*?|interface|type) (\w+)/gm,
      ))
        filesByName.set(name, (filesByName.get(name) ?? new Set()).add(file))
    const shared = [...filesByName].filter(([, { size }]) => size > 1)
    assert.deepEqual(
      shared.map(([name, places]) => `${name}: ${[...places].join(', ')}`),
      [],
    )
  })
})

describe('folders', () => {
  it('have at most 20 files', () => {
    const sizes = new Map<string, number>()
    for (const file of files) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1)
    assert.deepEqual(
      [...sizes].filter(([, count]) => count > 20),
      [],
    )
  })

  it('only the entry points read the environment, and pass it to config.ts', () => {
    const readers = files.filter((file) => file.endsWith('.ts') && textOf(file).includes('process.env'))
    assert.deepEqual(readers, [join('src', 'cli', 'keys.ts'), join('src', 'main.ts')])
  })

  it('providers are pure: they import no Node module for clocks, files, the network or the environment', () => {
    const impure =
      /from 'node:(?!(?:crypto|util)')|from '(undici|ioredis|fastify|bullmq)'|Date\.now|process\.|setTimeout|\bfetch\(/
    const offenders = files.filter((file) => file.startsWith('providers') && impure.test(textOf(file)))
    assert.deepEqual(offenders, [])
  })

  it('src names no provider outside config and catalogue', () => {
    const names = new RegExp(`['"\`](${Object.keys(providers).join('|')})['"\`]`)
    const neutral = files.filter((file) =>
      /^src\/(jobs|upstreams|webhooks|accounts|media|redis)\//.test(file),
    )
    assert.ok(neutral.length > 0)
    assert.deepEqual(
      neutral.filter((file) => names.test(textOf(file))),
      [],
    )
  })
})

/** Own imports of a file, as paths from the root. */
function importsOf(file: string): string[] {
  const targets = [...textOf(file).matchAll(/(?:\bfrom |\bimport\(|^import )'(\.[^']+)'/gm)].map(
    ([, specifier = '']) => relative(root, resolve(root, dirname(file), specifier)),
  )
  return [...new Set(targets)].filter((target) => files.includes(target))
}

/** `api` for src/api/nanogpt/library/list.ts, `src` for src/main.ts, `providers` for everything in providers/. */
function folderOf(file: string): string {
  const [top = '', folder = '', ...rest] = file.split('/')
  return top === 'providers' || rest.length === 0 ? top : folder
}

function providerOf(file: string): string | undefined {
  return /^providers\/([\w-]+)\//.exec(file)?.[1]
}

function isWithin(folder: string, other: string): boolean {
  return `${folder}/`.startsWith(`${other}/`)
}

function tableOf(heading: string): string {
  const section = textOf('CONTRIBUTING.md').split(`## ${heading}\n`)[1]?.split('\n## ')[0]
  assert.ok(section, `CONTRIBUTING.md has no section "${heading}"`)
  return section
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name)
}

function describeEdge({ file, target }: { file: string; target: string }): string {
  return `${file} -> ${target}`
}

/** One path for each cycle of a graph, as `a -> b -> a`. */
function cyclesOf(graph: ReadonlyMap<string, Iterable<string>>): string[] {
  const cycles: string[] = []
  const finished = new Set<string>()
  const visit = (node: string, path: readonly string[]): void => {
    const start = path.indexOf(node)
    if (start >= 0) cycles.push([...path.slice(start), node].join(' -> '))
    if (start >= 0 || finished.has(node)) return
    for (const target of graph.get(node) ?? []) visit(target, [...path, node])
    finished.add(node)
  }
  for (const node of graph.keys()) visit(node, [])
  return cycles
}
