/**
 * Makes Stryker ignore wording: log lines and the message of an error or a fault. Tests compare what the gateway does; the
 * texts that clients read are compared where they are produced (`src/api`, `src/catalogue`).
 */

/** The part of a Babel path that is read here. */
type Path = {
  key: string | number | null
  listKey?: string
  node: { type: string; callee?: Callee }
  parent?: { type: string; callee?: Callee } | null
}

type Callee = { type: string; name?: string; property?: { name?: string }; object?: Callee }

class WordingIgnorer {
  shouldIgnore(path: Path): string | undefined {
    if (path.node.type === 'CallExpression' && isLog(path.node.callee)) return 'a log line'
    const position = path.listKey === 'arguments' ? path.key : undefined
    if (position === undefined || !path.parent) return undefined
    if (position === 1 && isCallOf(path.parent, 'fault')) return 'the message of a fault'
    if (
      position === 0 &&
      path.parent.type === 'NewExpression' &&
      /(Error|Refused|Unavailable|Useless|NotReady)$/.test(nameOf(path.parent.callee))
    )
      return 'the message of an error'
    return undefined
  }
}

function isCallOf(node: NonNullable<Path['parent']>, name: string): boolean {
  return node.type === 'CallExpression' && nameOf(node.callee) === name
}

function isLog(callee: Callee | undefined): boolean {
  if (callee?.type !== 'MemberExpression' && callee?.type !== 'OptionalMemberExpression') return false
  const level = /^(trace|debug|info|warn|error|fatal)$/.test(callee.property?.name ?? '')
  return level && /log(ger)?$/i.test(nameOf(callee.object))
}

function nameOf(callee: Callee | undefined): string {
  return callee?.name ?? callee?.property?.name ?? ''
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'wording', injectableClass: WordingIgnorer }]
